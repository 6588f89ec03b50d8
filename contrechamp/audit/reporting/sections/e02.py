"""Tables of E02: drift of a loop, plausible worlds, and which unknown decides."""

from __future__ import annotations

from contrechamp.audit.reporting.blocks import Block, Table, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.tables import (
    Wide,
    present,
    result_list,
    wide,
)
from contrechamp.audit.reporting.wording import plain_number
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Tables of E02."""
    rhos = sorted({r["world"]["rho"] for r in facts.rows("E02", "recorded_off_20")})
    picked = [r for r in rhos if r in (0.0, 0.25, 0.5, 0.75, 1.0)] or rhos[:5]
    base = {"zones": 2, "rates": "equal", "arrivals": "bernoulli"}
    rows = [{"rule": rule, "rho": rho} for rule in ("top", "proportional") for rho in picked]
    columns = [
        Wide(Text(fr="Part enregistrée à plus de 20 points", en="Recorded share over 20 points off"),
             "recorded_off_20", base),
        Wide(Text(fr="Excès sur le témoin", en="Excess over the control"), "recorded_excess_20", base),
        Wide(Text(fr="Temps de patrouille à plus de 20 points", en="Patrol time over 20 points off"),
             "patrol_off_20", base),
        Wide(Text(fr="Écart médian", en="Median gap"), "median_abs_error", base),
        Wide(Text(fr="Jour de dérive", en="Day of drift"), "days_to_drift", base),
    ]  # fmt: skip
    caption = Text(
        fr="E02 : deux zones de même taux vrai, un incident au plus par zone et par jour.",
        en="E02: two zones of equal true rate, at most one incident per zone and day.",
    )
    curve = (
        wide(facts, voice, "E02", caption=caption, head=Text(fr="Règle, part signalée ρ", en="Rule, share reported ρ"),
             rows=rows, columns=columns, name=lambda x: f"{value_name('rule', x['rule'], voice.lang)}, "
             f"{value_name('rho', x['rho'], voice.lang)}")
    )  # fmt: skip
    return present(curve, *_plausible(facts, voice))


def _plausible(facts: Facts, voice: Voice) -> list[Table | None]:
    """In what share of the worlds drawn the prophecy holds; then the ranges and what each unknown weighs."""
    shares = [facts.one("E02", f"share_of_worlds_{verdict}") for verdict in ("supported", "refuted", "open")]
    held = result_list(
        facts, voice, [r for r in shares if r],
        caption=Text(
            fr="E02 : mondes tirés ensemble dans les plages du tableau suivant, chacun vécu par plusieurs villes et "
            "jugé par les critères de C02. Une part de ces mondes n’est pas la chance qu’une ville soit l’un d’eux.",
            en="E02: worlds drawn together over the ranges of the next table, each lived by several cities and judged "
            "by the criteria of C02. A share of these worlds is not the chance that a city is one of them.",
        ),
    )  # fmt: skip
    ranges = _ranges(facts, voice)
    rows = sorted(facts.rows("E02", "sobol_total"), key=lambda r: -float(r["value"] or 0.0))
    weights = wide(
        facts, voice, "E02",
        caption=Text(
            fr="E02 : indices de Sobol de chaque inconnue, avec la plage où elle est tirée (uniforme, ou uniforme en "
            "logarithme là où c’est dit). Le fichier du premier matin est juste : ce qui s’écarte vient de la boucle "
            "ou du sort.",
            en="E02: Sobol indices of each unknown, with the range it is drawn over (uniform, or uniform in the "
            "logarithm where said). The file of the first morning is right: what goes off comes from the loop or from "
            "luck.",
        ),
        head=Text(fr="Inconnue et plage", en="Unknown and range"),
        rows=[{"factor": r["world"]["factor"]} for r in rows],
        columns=[Wide(Text(fr="Premier ordre", en="First order"), "sobol_first", {}),
                 Wide(Text(fr="Total", en="Total"), "sobol_total", {})],
        name=lambda x: ranges.get(x["factor"], value_name("factor", x["factor"], voice.lang)), weight=2.6,
    )  # fmt: skip
    return [held if any(shares) else None, weights]


def _ranges(facts: Facts, voice: Voice) -> dict[str, str]:
    """Name of each unknown with its range, from the table of the run."""
    table = facts.table("e02_sobol")
    if table is None:
        return {}
    out = {}
    for row in table.to_dict("records"):
        name = value_name("factor", row["factor"], voice.lang)
        low, high = (plain_number(float(row[k]), voice.lang) for k in ("from", "to"))
        law = Text(fr=", log", en=", log").in_(voice.lang) if row["scale"] == "log" else ""
        span = Text(fr="de {a} à {b}", en="{a} to {b}").in_(voice.lang).format(a=low, b=high)
        out[str(row["factor"])] = name if row["factor"] == "luck" else f"{name}, {span}{law}"
    return out
