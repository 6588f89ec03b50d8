"""Text that exists in French and in English, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Lang = Literal["fr", "en"]
LANGS: Final[tuple[Lang, ...]] = get_args(Lang)


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence or label in both languages of the project.

    Examples
    --------
    >>> Text(fr="part", en="share").in_("fr")
    'part'
    """

    fr: str
    en: str

    def __post_init__(self) -> None:
        if not self.fr.strip() or not self.en.strip():
            raise ValueError(f"A Text needs both languages. Got fr={self.fr!r}, en={self.en!r}.")

    def in_(self, lang: Lang) -> str:
        """Return the wording in ``lang``."""
        return self.fr if lang == "fr" else self.en
