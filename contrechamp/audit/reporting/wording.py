"""Words, spaces and numbers of the report, in French and in English.

Every number of the report, on paper or on screen, in either language, goes through this module: the digits are
chosen once, from the value and its interval, and only the marks around them change with the language.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from contrechamp.domain.text import Lang, Text

NBSP: Final = "\u00a0"
#: The « espace fine insécable » of French typography.
NNBSP: Final = "\u202f"
MINUS: Final = "\u2212"

VERDICTS: Final[Mapping[str, Text]] = {
    "supported": Text(fr="étayée", en="supported"),
    "refuted": Text(fr="réfutée", en="refuted"),
    "inconclusive": Text(fr="indécise", en="inconclusive"),
    "not testable": Text(fr="non testable", en="not testable"),
    "pending": Text(fr="en attente", en="pending"),
}
#: A mark for each verdict that survives a black-and-white copier.
MARKS: Final[Mapping[str, str]] = {
    "supported": "●", "refuted": "○", "inconclusive": "◐", "not testable": "–", "pending": "…",
}  # fmt: skip
#: The same verdicts in the plural.
VERDICTS_PLURAL: Final[Mapping[str, Text]] = {
    "supported": Text(fr="étayées", en="supported"),
    "refuted": Text(fr="réfutées", en="refuted"),
    "inconclusive": Text(fr="indécises", en="inconclusive"),
    "not testable": Text(fr="non testables", en="not testable"),
    "pending": Text(fr="en attente", en="pending"),
}
#: What the report counts: one of them, several of them.
NOUNS: Final[Mapping[str, tuple[Text, Text]]] = {
    "claim": (Text(fr="affirmation", en="claim"), Text(fr="affirmations", en="claims")),
    "source": (Text(fr="source", en="source"), Text(fr="sources", en="sources")),
    "result": (Text(fr="résultat", en="result"), Text(fr="résultats", en="results")),
    "rule": (Text(fr="règle de décision", en="decision rule"), Text(fr="règles de décision", en="decision rules")),
    "judgement": (Text(fr="jugement", en="judgement"), Text(fr="jugements", en="judgements")),
    "deviation": (Text(fr="écart", en="deviation"), Text(fr="écarts", en="deviations")),
    "file": (Text(fr="fichier", en="file"), Text(fr="fichiers", en="files")),
    "world": (Text(fr="monde", en="world"), Text(fr="mondes", en="worlds")),
    "point": (Text(fr="point", en="point"), Text(fr="points", en="points")),
}
UNDER: Final = Text(fr="dans les mondes énoncés", en="under the stated worlds")
NOT_ESTIMABLE: Final = Text(fr="non estimable", en="not estimable")

SIDES: Final[Mapping[str, Text]] = {
    "promoter": Text(fr="promoteur", en="promoter"),
    "critic": Text(fr="critique", en="critic"),
    "authority": Text(fr="autorité", en="authority"),
    "research": Text(fr="recherche, presse", en="research, press"),
}
METHODS: Final[Mapping[str, Text]] = {
    "wilson": Text(fr="Wilson", en="Wilson"),
    "clopper-pearson": Text(fr="Clopper–Pearson", en="Clopper–Pearson"),
    "korn-graubard": Text(fr="Korn–Graubard, par grappes", en="Korn–Graubard, by clusters"),
    "stationary-bootstrap": Text(fr="bootstrap par blocs de jours", en="bootstrap by blocks of days"),
    "exact": Text(fr="exact", en="exact"),
    "arithmetic": Text(fr="calcul", en="arithmetic"),
    "closed-form": Text(fr="forme close", en="closed form"),
    "exhaustive-search": Text(fr="recherche exhaustive", en="exhaustive search"),
    "simulation-quantiles": Text(fr="quantiles simulés", en="simulated quantiles"),
    "normal-mean": Text(fr="moyenne, loi normale", en="mean, normal law"),
    "normal": Text(fr="loi normale", en="normal law"),
    "printed-rounding": Text(fr="bornes des arrondis imprimés", en="bounds of printed rounding"),
    "poisson": Text(fr="loi de Poisson", en="Poisson law"),
    "poisson-exact": Text(fr="Poisson exact", en="exact Poisson"),
    "poisson-exact-conditional": Text(fr="Poisson exact, conditionnel", en="exact Poisson, conditional"),
    "poisson-exact anchor, propagated": Text(fr="Poisson exact, propagé", en="exact Poisson, propagated"),
    "poisson-exact, printed-rounding": Text(fr="Poisson exact et arrondis", en="exact Poisson and rounding"),
    "share of grid cells, anchor propagated": Text(
        fr="bornes de la fréquence de 2015, propagées", en="bounds of the 2015 rate, propagated"
    ),
    "linearised over persons": Text(fr="linéarisé, par personnes", en="linearised, over persons"),
    "clopper-pearson, best of several T": Text(
        fr="Clopper–Pearson, corrigé du choix de T", en="Clopper–Pearson, corrected for the choice of T"
    ),
    "clopper-pearson, kinds joined": Text(fr="Clopper–Pearson, sortes réunies", en="Clopper–Pearson, kinds joined"),
    "order-statistics": Text(fr="statistiques d’ordre", en="order statistics"),
    "newcombe-paired": Text(fr="Newcombe, apparié", en="Newcombe, paired"),
    "t": Text(fr="Student", en="Student"),
    "score": Text(fr="intervalle du score", en="score interval"),
    "jeffreys": Text(fr="Jeffreys, propagé", en="Jeffreys, propagated"),
    "bounds": Text(fr="inconnus comptés deux fois", en="unknowns counted both ways"),
    "documents": Text(fr="documents", en="documents"),
    "mean of camera-days and poisson-exact anchor, propagated": Text(
        fr="moyenne de jours de caméra et Poisson exact, propagés",
        en="mean of camera-days and exact Poisson, propagated",
    ),
    "sobol-bootstrap": Text(fr="bootstrap des points de base", en="bootstrap of base points"),
    "identical-runs": Text(fr="tirages identiques", en="identical runs"),
    "beta-binomial mixture": Text(fr="loi bêta-binomiale", en="beta-binomial law"),
    "no final account found": Text(fr="aucun compte final trouvé", en="no final account found"),
    "no perimeter with both cost and cases": Text(
        fr="aucun périmètre publie coût et enquêtes", en="no perimeter publishes both cost and cases"
    ),
    "area not published": Text(fr="surface non publiée", en="area not published"),
    "none": Text(fr="aucune", en="none"),
}

#: Methods whose bounds are no confidence interval, whatever the level they carry.
_PLAIN_BOUNDS: Final = frozenset({"share of grid cells, anchor propagated"})
_SPACE: Final = f"[ {NBSP}{NNBSP}]"


def typeset(text: str, lang: Lang) -> str:
    """Set the spaces and apostrophes of a sentence as the language wants them.

    Idempotent: a text already set comes back unchanged.

    Examples
    --------
    >>> typeset("Vrai ? « oui » : 3 %", "fr") == "Vrai\u202f? «\u202foui\u202f»\u202f: 3\u00a0%"
    True
    >>> typeset("about 3 % of it", "en")
    'about 3% of it'
    """
    text = re.sub(r"(?<=\w)'(?=\w)", "’", text.replace(">=", "≥").replace("<=", "≤"))
    text = re.sub(rf"\b(pp?\.|n°|§|n =|K =|σ =|κ =)[ {NBSP}](?=\d)", rf"\1{NBSP}", text)
    text = re.sub(rf"(?<![^\s(«“{NBSP}{NNBSP}])-(?=\d)", MINUS, text)
    if lang == "en":
        text = re.sub(r"(?<!\w)'([^']+)'(?!\w)", r"“\1”", text)
        return re.sub(rf"(?<=\d){_SPACE}%", "%", text)
    text = re.sub(rf"{_SPACE}+([;:!?»])", rf"{NNBSP}\1", text)
    text = re.sub(rf"(?<=[^\s{NNBSP}{NBSP}])»", f"{NNBSP}»", text)
    text = re.sub(rf"«{_SPACE}*", f"«{NNBSP}", text)
    text = re.sub(rf"{_SPACE}+([%€])", rf"{NBSP}\1", text)
    return re.sub(rf"(?<![\d,])(\d{{1,3}}){_SPACE}(?=\d{{3}}(?!\d))", rf"\1{NNBSP}", text)


def decimals(value: float, low: float | None, high: float | None) -> int:
    """Digits after the point that the precision deserves.

    One significant digit of the interval's width, two where that digit is a 1 or a 2; without a width, three
    significant digits of the value.

    Examples
    --------
    >>> decimals(44.93, 42.0, 47.8), decimals(100.0, 99.05, 100.0), decimals(0.396, 0.374, 0.419)
    (0, 1, 2)
    >>> decimals(30.9, 30.2, 31.5), decimals(5.7, None, None)
    (1, 2)
    """
    width = 0.0 if low is None or high is None else high - low
    if width > 0:
        power = math.floor(math.log10(width))
        digits = -power + (1 if width < 3 * 10**power else 0)
    elif value == 0:
        return 0
    else:
        digits = 2 - math.floor(math.log10(abs(value)))
    digits = min(max(digits, 0), 2 if abs(value) >= 1 else 4)
    while digits < 6 and value != 0 and float(f"{value:.{digits}f}") == 0:
        digits += 1
    return digits


def _fixed(value: float, digits: int, lang: Lang, *, trim: bool = False) -> str:
    text = f"{abs(value):,.{digits}f}"
    if trim and "." in text:
        text = text.rstrip("0").rstrip(".")
    if float(text.replace(",", "")) == 0:
        text, value = "0", 0.0
    if lang == "fr":
        text = text.replace(",", NNBSP).replace(".", ",")
    return (MINUS if value < 0 else "") + text


#: Units that are multiplied by a hundred for people.
_HUNDREDS: Final = ("share", "points", "gain")


def _suffix(unit: str, lang: Lang, *, million: bool) -> tuple[str, str]:
    fr = lang == "fr"
    if unit == "euro":
        if fr:
            return "", f"{NBSP}M€" if million else f"{NBSP}€"
        return "€", f"{NBSP}million" if million else ""
    after = {
        "share": f"{NBSP}%" if fr else "%",
        "gain": f"{NBSP}%" if fr else "%",
        "points": f"{NBSP}points",
        "per_day": f"{NBSP}par jour" if fr else f"{NBSP}per day",
        "min": f"{NBSP}min",
        "h": f"{NBSP}h",
        "days": f"{NBSP}jours" if fr else f"{NBSP}days",
        "nats": f"{NBSP}nat" if fr else f"{NBSP}nats",
    }
    return "", after.get(unit, "")


def parts(result: Mapping[str, Any], lang: Lang) -> tuple[str, str, str, str]:
    """Value, low and high bounds without unit, and the unit's suffix; digits shared by the three.

    All four are empty when the result is not estimable.
    """
    value = result["value"]
    if value is None:
        return "", "", "", ""
    unit = str(result["unit"])
    if unit == "bool":
        words = [yes_no(result[k], lang) for k in ("value", "low", "high")]
        return words[0], words[1], words[2], ""
    raw = [float(result[k]) for k in ("value", "low", "high")]
    million = unit == "euro" and abs(raw[0]) >= 1e6
    scale = 100.0 if unit in _HUNDREDS else 1e-6 if million else 1.0
    numbers = [x * scale for x in raw]
    exact = numbers[1] == numbers[2]
    digits = decimals(*numbers)
    if unit == "share" and 99 < numbers[0] < 100:
        while digits < 6 and float(f"{numbers[0]:.{digits}f}") == 100:
            digits += 1
    if unit == "count" and all(x == int(x) for x in numbers):
        digits = 0
    if unit == "euro" and not million:
        digits = min(digits, 2)
        digits = 0 if abs(numbers[0]) >= 100 else digits
    shown = [_fixed(x, digits, lang, trim=exact) for x in numbers]
    return shown[0], shown[1], shown[2], _suffix(unit, lang, million=million)[1]


def value(result: Mapping[str, Any], lang: Lang) -> str:
    """Print the estimate with its unit, or say that it is not estimable.

    Examples
    --------
    >>> value({"value": 0.449, "low": 0.437, "high": 0.461, "unit": "share"}, "fr") == "44,9\u00a0%"
    True
    """
    shown, _, _, suffix = parts(result, lang)
    if not shown:
        return NOT_ESTIMABLE.in_(lang)
    sign = "+" if result.get("signed") and result["value"] > 0 and shown != "0" else ""
    return _prefix(result, lang) + sign + shown + suffix


def _prefix(result: Mapping[str, Any], lang: Lang) -> str:
    return "€" if result["unit"] == "euro" and lang == "en" else ""


def is_exact(result: Mapping[str, Any]) -> bool:
    """Whether the number has no interval: arithmetic on stated inputs."""
    return result["value"] is not None and result["low"] == result["high"]


def interval(result: Mapping[str, Any], lang: Lang) -> str:
    """Print the bounds of the interval, or how the number is exact, or a dash when there is no estimate."""
    shown, low, high, suffix = parts(result, lang)
    if not shown:
        return "–"
    if is_exact(result):
        return Text(fr="sans aléa", en="no sampling").in_(lang)
    before = _prefix(result, lang)
    if lang == "en":
        return f"{before}{low} to {before}{high}{suffix}"
    return f"{low} à {high}{suffix}"


def bounds(result: Mapping[str, Any], lang: Lang) -> str:
    """Interval and denominator in brackets, for running text.

    Examples
    --------
    >>> r = {"value": 0.4, "low": 0.3, "high": 0.5, "unit": "share", "n": 400, "level": 0.95, "method": "wilson"}
    >>> bounds(r, "en").replace("\u00a0", " ")
    '95% interval 30 to 50%; n = 400'
    """
    shown, _, _, _ = parts(result, lang)
    n = n_words(result, lang)
    if not shown or is_exact(result):
        return n if result["n"] > 1 else METHODS.get(result["method"], METHODS["arithmetic"]).in_(lang)
    span = interval(result, lang)
    if is_bounds(result):
        head = Text(fr="bornes", en="bounds").in_(lang)
    else:
        level = _fixed(100 * result["level"], 1, lang, trim=True)
        head = f"intervalle à {level}{NBSP}%" if lang == "fr" else f"{level}% interval"
    return f"{head}{f'{NNBSP}: ' if lang == 'fr' else ' '}{span}{f'{NNBSP}; ' if lang == 'fr' else '; '}{n}"


def is_bounds(result: Mapping[str, Any]) -> bool:
    """Whether the interval is a pair of bounds, not a confidence interval."""
    return float(result["level"]) >= 1 or result["method"] in _PLAIN_BOUNDS


def counted_by_n(result: Mapping[str, Any], lang: Lang) -> str:
    """What n counts, without the explanation in brackets; empty when nobody said.

    Examples
    --------
    >>> counted_by_n({"of": Text(fr="affaires élucidées (jeu retenu)", en="solved cases (worked set)")}, "en")
    'solved cases'
    """
    of = result.get("of")
    return typeset(re.split(r" \(|, ", of.in_(lang))[0], lang) if isinstance(of, Text) else ""


def n_words(result: Mapping[str, Any], lang: Lang) -> str:
    """The denominator, with what it counts when that is known: « n = 400 villes simulées »."""
    said = f"n{NBSP}={NBSP}{count(result['n'], lang)}"
    of = counted_by_n(result, lang)
    return f"{said} {of}" if of else said


def counted(number: float, noun: str, lang: Lang) -> str:
    r"""A count and its noun, in the number the language wants (French: singular below two).

    Examples
    --------
    >>> counted(1, "claim", "en"), counted(0, "claim", "en"), counted(0, "claim", "fr") == "0\u00a0affirmation"
    ('1\xa0claim', '0\xa0claims', True)
    """
    one, many = NOUNS[noun]
    single = number < 2 if lang == "fr" else number == 1
    return f"{count(number, lang)}{NBSP}{(one if single else many).in_(lang)}"


def verdict_count(number: int, verdict: str, lang: Lang) -> str:
    r"""A count of claims with a verdict: « 3 étayées », « 1 réfutée », "3 supported".

    Examples
    --------
    >>> verdict_count(3, "supported", "fr") == "3\u00a0étayées", verdict_count(1, "refuted", "en")
    (True, '1\xa0refuted')
    """
    words = VERDICTS_PLURAL if number >= 2 else VERDICTS
    return f"{count(number, lang)}{NBSP}{words[verdict].in_(lang)}"


def method(result: Mapping[str, Any], lang: Lang) -> str:
    """Name the interval's method; the raw key when the report has no name for it."""
    key = str(result["method"])
    known = METHODS.get(key)
    if known:
        return known.in_(lang)
    blocks = re.match(r"stationary-bootstrap .*?(\d+) draws, mean block ([\d.]+) days", key)
    if blocks:
        days = plain_number(float(blocks.group(2)), lang)
        return Text(fr=f"bootstrap par blocs de {days} jours", en=f"bootstrap by blocks of {days} days").in_(lang)
    if key.startswith("bootstrap of the median"):
        return Text(fr="bootstrap de la médiane", en="bootstrap of the median").in_(lang)
    return key


def count(number: float, lang: Lang) -> str:
    """Print a whole number with its thousands apart.

    Examples
    --------
    >>> count(12345, "en"), count(12345, "fr") == "12\u202f345"
    ('12,345', True)
    """
    return _fixed(float(number), 0, lang)


def plain_number(number: float, lang: Lang) -> str:
    """Print a parameter: up to four significant digits, no unit."""
    if number == int(number) and abs(number) < 1e15:
        return count(number, lang)
    digits = max(0, 3 - math.floor(math.log10(abs(number))))
    return _fixed(number, min(digits, 8), lang, trim=True)


def percent(share: float, lang: Lang, *, digits: int = 1) -> str:
    """Print a share, outside any result, as a percentage."""
    return _fixed(100 * share, digits, lang, trim=True) + (f"{NBSP}%" if lang == "fr" else "%")


def yes_no(number: float | None, lang: Lang) -> str:
    """Say a 0/1 result in words."""
    if number is None:
        return NOT_ESTIMABLE.in_(lang)
    return (Text(fr="oui", en="yes") if number >= 0.5 else Text(fr="non", en="no")).in_(lang)


def natural(result: Mapping[str, Any], lang: Lang, *, out_of: int = 1000) -> str:
    """Print a share as a count out of a round number: « 4 sur 1 000 ».

    Shares too small for ``out_of`` move to the next power of ten, so that something is counted.
    """
    share = result["value"]
    if share is None:
        return NOT_ESTIMABLE.in_(lang)
    while 0 < share * out_of < 1 and out_of < 10**9:
        out_of *= 10
    return f"{count(round(share * out_of), lang)} {'sur' if lang == 'fr' else 'of'} {count(out_of, lang)}"


def threshold(number: float, unit: str, lang: Lang) -> str:
    """Print a threshold of the plan in the unit of its measure."""
    return value({"value": number, "low": number, "high": number, "unit": unit}, lang)


def id_order(result_id: str) -> tuple[int, str]:
    """Sort key of result ids: a run of more than 9,999 results has ids of five digits."""
    return len(result_id), result_id


def id_ranges(ids: Iterable[str]) -> list[str]:
    """Write consecutive result ids as ranges.

    Examples
    --------
    >>> id_ranges(["R-0003", "R-0001", "R-0002", "R-0007"]), id_ranges(["R-10000", "R-9999"])
    (['R-0001–R-0003', 'R-0007'], ['R-9999–R-10000'])
    """
    ordered = sorted(set(ids), key=id_order)
    if not ordered:
        return []
    numbers = [int(i.split("-")[1]) for i in ordered]
    cuts = [0, *(k + 1 for k, (a, b) in enumerate(pairwise(numbers)) if b != a + 1), len(ordered)]
    groups = [ordered[a:b] for a, b in pairwise(cuts)]
    return [g[0] if len(g) == 1 else f"{g[0]}–{g[-1]}" for g in groups]


def listing(words: Iterable[str], lang: Lang) -> str:
    """Join words with commas and « et » / "and"."""
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {'et' if lang == 'fr' else 'and'} {items[-1]}"


_MONTHS: Final = {
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
           "novembre", "décembre"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
}  # fmt: skip


def date(iso: str, lang: Lang) -> str:
    """Print an ISO date or instant as a day in words, Europe/Paris; the text itself when it is no date.

    Examples
    --------
    >>> date("2026-11-01", "fr").replace("\u00a0", " "), date("2026-11-22T23:30:00+00:00", "en").replace("\u00a0", " ")
    ('1er novembre 2026', '23 November 2026')
    """
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    if moment.tzinfo is not None:
        moment = moment.astimezone(ZoneInfo("Europe/Paris"))
    day = "1er" if lang == "fr" and moment.day == 1 else str(moment.day)
    return f"{day}{NBSP}{_MONTHS[lang][moment.month - 1]}{NBSP}{moment.year}"
