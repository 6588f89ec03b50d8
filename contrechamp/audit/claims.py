"""The register: every claim made for the platform and against it, with its source and the way to decide it.

The register is data (YAML under ``register/``), rewritten by this project; short quotes of the audited documents are
verbatim and cited. Loading it checks it: an orphan (a claim that names an experiment nobody describes, a rule
for a claim nobody made) is an error, not a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, Literal, cast, get_args

import yaml

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.text import Text

Side = Literal["promoter", "critic", "authority", "research"]
Kind = Literal["capability", "performance", "effectiveness", "privacy", "cost", "legal"]
Testability = Literal["simulation", "partly-simulation", "arithmetic", "documents", "none"]
SIDES: Final[tuple[Side, ...]] = get_args(Side)

_CLAIM_FILES: Final = ("M", "P", "C", "V", "R", "K")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a claim was read: register key of the source, document, page, and who speaks."""

    ref: str
    document: str
    page: str | None
    speaker: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim, as said and as understood.

    Attributes
    ----------
    id : str
        Stable key, for instance ``"M04"``.
    side : Side
        Who makes it.
    quote : str
        Short verbatim quotation, in ``quote_lang``.
    gloss : Text
        What is claimed, in our words.
    experiments : tuple of str
        Experiments that bear on it.
    reason : Text or None
        Why it cannot be tested, when it cannot.
    """

    id: str
    side: Side
    system: str
    kind: Kind
    quote: str
    quote_lang: str
    gloss: Text
    source: Source
    testability: Testability
    experiments: tuple[str, ...]
    how: Text | None
    support_if: Text | None
    refute_if: Text | None
    reason: Text | None
    note: Text | None
    known_status: Text | None


@dataclass(frozen=True, slots=True)
class ExperimentCard:
    """The description of an experiment in the register: what is asked, of what world, against what null."""

    id: str
    title: Text
    question: Text
    world: Text
    null: Text
    truth: Text
    metric: Text
    baseline: Text
    support_if: Text
    refute_if: Text
    notes: Text | None


@dataclass(frozen=True)
class Register:
    """The whole register, checked."""

    claims: Mapping[str, Claim]
    experiments: Mapping[str, ExperimentCard]
    systems: Mapping[str, Mapping[str, Any]]
    sources: Mapping[str, Mapping[str, Any]]

    def claims_of(self, experiment: str) -> tuple[str, ...]:
        """Ids of the claims an experiment bears on."""
        return tuple(c.id for c in self.claims.values() if experiment in c.experiments)

    def select(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        """Check claim ids given by a user.

        Raises
        ------
        ParameterError
            If one is not in the register.
        """
        ids = tuple(i.strip().upper() for i in ids)
        unknown = [i for i in ids if i not in self.claims]
        if unknown:
            raise ParameterError(
                f"The register has no claim {', '.join(unknown)}. It has {len(self.claims)}: "
                "list them with `contrechamp claims list`."
            )
        return tuple(i for i in self.claims if i in ids)


def register_text(name: str) -> str:
    """Text of a file of the register, for instance ``"claims_M.yaml"``."""
    return (files("contrechamp.audit") / "register" / name).read_text(encoding="utf-8")


def read_yaml(name: str) -> Any:
    """Parse a file of the register with the safe loader."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(register_text(name), Loader=loader)  # noqa: S506 (both are safe loaders)


def _text(value: Any, *, where: str) -> Text | None:
    if value is None:
        return None
    try:
        return Text(fr=str(value["fr"]).strip(), en=str(value["en"]).strip())
    except (KeyError, TypeError, ValueError) as cause:
        raise ParameterError(
            f"The register entry {where} needs a French and an English text. Got {value!r}."
        ) from cause


def _need(value: Any, *, where: str) -> Text:
    text = _text(value, where=where)
    if text is None:
        raise ParameterError(f"The register entry {where} is empty; it needs a French and an English text.")
    return text


def _choice(value: Any, choices: tuple[str, ...], *, where: str) -> Any:
    if value not in choices:
        raise ParameterError(f"The register entry {where} must be one of {', '.join(choices)}. Got {value!r}.")
    return value


def _claim(raw: Mapping[str, Any]) -> Claim:
    at = str(raw.get("id"))
    source = raw["source"]
    claim = Claim(
        id=at,
        side=cast(Side, _choice(raw["side"], SIDES, where=f"{at}.side")),
        system=str(raw["system"]),
        kind=cast(Kind, _choice(raw["kind"], get_args(Kind), where=f"{at}.kind")),
        quote=str(raw["quote"]).strip(),
        quote_lang=str(raw.get("quote_lang", "fr")),
        gloss=_need(raw["gloss"], where=f"{at}.gloss"),
        source=Source(
            ref=str(source["ref"]),
            document=str(source.get("document") or "-"),
            page=None if source.get("page") is None else str(source["page"]),
            speaker=str(source.get("speaker") or "-"),
        ),
        testability=cast(Testability, _choice(raw["testability"], get_args(Testability), where=f"{at}.testability")),
        experiments=tuple(str(e) for e in raw.get("experiments") or ()),
        how=_text(raw.get("how"), where=f"{at}.how"),
        support_if=_text(raw.get("support_if"), where=f"{at}.support_if"),
        refute_if=_text(raw.get("refute_if"), where=f"{at}.refute_if"),
        reason=_text(raw.get("reason"), where=f"{at}.reason"),
        note=_text(raw.get("note"), where=f"{at}.note"),
        known_status=_text(raw.get("known_status"), where=f"{at}.known_status"),
    )
    if (claim.testability == "none" or not claim.experiments) and claim.reason is None:
        raise ParameterError(f"Claim {at} cannot be tested or has no experiment, and gives no `reason`. Write one.")
    return claim


def _card(raw: Mapping[str, Any]) -> ExperimentCard:
    names = ("title", "question", "world", "null", "truth", "metric", "baseline", "support_if", "refute_if")
    texts = {name: _need(raw[name], where=f"{raw['id']}.{name}") for name in names}
    return ExperimentCard(id=str(raw["id"]), notes=_text(raw.get("notes"), where=f"{raw['id']}.notes"), **texts)


@lru_cache(maxsize=1)
def load_register() -> Register:
    """Read and check the whole register.

    Raises
    ------
    ParameterError
        If an entry is malformed, an id is used twice, or a reference leads nowhere.
    """
    claims: dict[str, Claim] = {}
    for letter in _CLAIM_FILES:
        for raw in read_yaml(f"claims_{letter}.yaml"):
            claim = _claim(raw)
            if claim.id in claims:
                raise ParameterError(f"Claim {claim.id} is written twice in the register.")
            claims[claim.id] = claim
    cards = {card.id: card for card in map(_card, read_yaml("experiments.yaml"))}
    systems = {str(s["id"]): s for s in read_yaml("systems.yaml")}
    sources = {str(s["ref"]): s for s in read_yaml("sources.yaml")}
    for claim in claims.values():
        orphans = [e for e in claim.experiments if e not in cards]
        if orphans or claim.system not in systems or claim.source.ref not in sources:
            raise ParameterError(
                f"Claim {claim.id} refers to what the register does not describe: "
                f"{orphans or ''} {claim.system} {claim.source.ref}."
            )
    return Register(claims=claims, experiments=cards, systems=systems, sources=sources)
