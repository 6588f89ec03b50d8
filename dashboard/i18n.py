"""Sentences of the dashboard that several pages share, in both languages, and how they are made safe to show."""

from __future__ import annotations

import re
from typing import Final

from contrechamp.audit.reporting.wording import MARKS, VERDICTS, typeset
from contrechamp.domain.errors import ContrechampError
from contrechamp.domain.text import Lang, Text

TITLE: Final = Text(fr="Contrechamp", en="Contrechamp")
SUBTITLE: Final = Text(
    fr="Les promesses d’une police par les données, mises à l’épreuve sur une ville inventée",
    en="The claims of data-driven policing, put to the test on an invented city",
)
PAGES: Final[dict[str, Text]] = {
    "claims": Text(fr="Affirmations", en="Claims"),
    "map": Text(fr="Carte", en="Map"),
    "loop": Text(fr="Boucle des patrouilles", en="Patrol loop"),
    "video": Text(fr="Vidéo", en="Video"),
}
LANGUAGE: Final = Text(fr="Langue", en="Language")
LANGUAGES: Final[dict[str, str]] = {"fr": "Français", "en": "English"}
RUN: Final = Text(fr="Exécution", en="Run")
LIMITS: Final = Text(fr="Ce que cela ne dit pas", en="What this does not tell")
ALL: Final = Text(fr="Tous", en="All")
NO_RUN: Final = Text(
    fr="Aucune exécution dans le dossier {folder}. Pour en faire une : make audit (quelques minutes), puis rechargez "
    "la page.",
    en="No run in the folder {folder}. To make one: make audit (a few minutes), then reload the page.",
)
GONE: Final = Text(
    fr="L’exécution {run} que nomme l’adresse n’est pas dans ce dossier ; la plus récente est montrée à sa place.",
    en="The run {run} that the address names is not in this folder; the latest is shown instead.",
)
DAMAGED: Final = Text(
    fr="L’exécution {run} ne peut pas être lue. {cause} Choisissez-en une autre, ou refaites-la avec make audit ; "
    "contrechamp verify dit quel fichier a changé.",
    en="The run {run} cannot be read. {cause} Choose another one, or make it again with make audit; contrechamp verify "
    "says which file changed.",
)

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|$~<>:&])")


def md(text: str) -> str:
    r"""Text that Markdown shows as it is: no markup, link, formula or emoji can come in with data.

    Examples
    --------
    >>> md("*5 $* [a](b)")
    '\\*5 \\$\\* \\[a\\]\\(b\\)'
    """
    return _MARKDOWN.sub(r"\\\1", text)


def say(text: Text, lang: Lang, /, **values: str) -> str:
    """Wording in one language, typeset; values are put in as they are and must be shown as text or passed by `md`."""
    return typeset(text.in_(lang), lang).format(**values)


def verdict(key: str, lang: Lang) -> str:
    """Mark and word of a verdict.

    Examples
    --------
    >>> verdict("refuted", "en")
    '○ refuted'
    """
    return f"{MARKS[key]} {VERDICTS[key].in_(lang)}"


def cause(error: ContrechampError) -> str:
    """What went wrong, on one line."""
    return " ".join(str(error).split())
