"""The address of the page is its state: every control reads it and writes it, so that a link restores what was seen.

Values in the address are stable keys (``side=critic``), never words of one language, so that a link sent by a French
reader opens in English. Nothing is written there until a control is touched: a bare address means *the latest run,
the defaults*; once something was chosen, the address says everything.

What is read from an address was written by anybody: each value is parsed against what is allowed, and a value that
is not allowed counts as absent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from contrechamp.domain.text import LANGS, Lang

Parse = Callable[[str], Any]
_TOUCHED: Final = "link:touched"
_STATE: Final = "link:state"


@dataclass(frozen=True, slots=True)
class Param:
    """One value of the address.

    Attributes
    ----------
    name : str
        Its name there.
    default : object
        Its value when the address says nothing, or something that cannot be.
    parse : callable
        Text to value; raises ValueError or KeyError when the text is not allowed.
    write : callable, default=str
        Value to text; an empty text is left out of the address.
    """

    name: str
    default: Any
    parse: Parse
    write: Callable[[Any], str] = str

    def read(self, address: Mapping[str, str]) -> Any:
        """Value of the address, or the default."""
        try:
            return self.parse(address[self.name])
        except (KeyError, ValueError):
            return self.default


def choice(name: str, options: Sequence[str], *, default: str = "") -> Param:
    """One key among ``options``, or the default."""

    def parse(text: str) -> str:
        if text not in options:
            raise ValueError(text)
        return text

    return Param(name, default, parse)


def several(name: str, options: Sequence[str]) -> Param:
    """Any number of keys among ``options``, in their order; none by default."""

    def parse(text: str) -> list[str]:
        asked = text.split(",")
        return [o for o in options if o in asked]

    return Param(name, [], parse, ",".join)


def whole(name: str, *, default: int, low: int, high: int) -> Param:
    """A whole number of ``low … high``."""

    def parse(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return Param(name, default, parse)


def decimal(name: str, *, default: float, low: float, high: float) -> Param:
    """A number of ``low … high``, with two decimals."""

    def parse(text: str) -> float:
        number = float(text)
        if not low <= number <= high:  # also refuses nan
            raise ValueError(text)
        return round(number, 2)

    return Param(name, default, parse, lambda value: f"{value:g}")


def free(name: str, *, longest: int = 80) -> Param:
    """A text, cut at ``longest`` characters."""
    return Param(name, "", lambda text: text[:longest])


LANG: Final = choice("lang", LANGS, default="fr")


def language() -> Lang:
    """Language of the run of the script that begins, before its page has read the address."""
    touched = st.session_state.get(_TOUCHED, False)
    known = st.session_state.get(_STATE, {}).get("lang") if touched else LANG.read(st.query_params.to_dict())
    return "en" if known == "en" else "fr"


class Link:
    """The state of one page, as its address says it.

    A run of the script that follows a touched control trusts that control; any other run (a link, the Back button)
    trusts the address. Without that order, an address one message late would undo the last choice.
    """

    def __init__(self, *params: Param) -> None:
        self._params = {p.name: p for p in (LANG, *params)}
        touched = st.session_state.pop(_TOUCHED, False)
        if touched:
            before = st.session_state.get(_STATE, {})
            self._state = {name: before.get(name, p.default) for name, p in self._params.items()}
        else:
            address = st.query_params.to_dict()
            self._state = {name: p.read(address) for name, p in self._params.items()}
        st.session_state[_STATE] = dict(self._state)
        if touched:
            self._write()

    def __getitem__(self, name: str) -> Any:
        """Value of a parameter."""
        return self._state[name]

    @property
    def lang(self) -> Lang:
        """Language of the page."""
        return "en" if self._state["lang"] == "en" else "fr"

    def default(self, name: str, options: Collection[Any], value: Any) -> None:
        """Give a parameter that is not among ``options`` the default that only the data know (the latest run)."""
        if self._state[name] not in options:
            self._state[name] = value
            st.session_state[_STATE] = dict(self._state)

    def key(self, name: str) -> str:
        """Key of the control of a parameter, its value laid down first.

        The key bears the language: a control whose labels change is another control to the browser.
        """
        key = f"{name}:{self.lang}"
        st.session_state[key] = self._state[name]
        return key

    def control(self, name: str) -> dict[str, Any]:
        """Arguments that bind a control to a parameter."""
        key = self.key(name)
        return {"key": key, "on_change": _take, "args": (name, key)}

    def visit(self, **values: Any) -> None:
        """Go, from a button, to the page's defaults changed by ``values``; the language stays."""
        st.session_state[_STATE] = {n: p.default for n, p in self._params.items()} | values | {"lang": self.lang}
        st.session_state[_TOUCHED] = True

    def _write(self) -> None:
        texts = {name: p.write(self._state[name]) for name, p in self._params.items()}
        wanted = {name: text for name, text in texts.items() if text}
        if wanted != st.query_params.to_dict():
            st.query_params.from_dict(wanted)


def put(name: str, value: Any) -> None:
    """Set a parameter from a callback: a button, a selected row."""
    st.session_state[_STATE] = {**st.session_state.get(_STATE, {}), name: value}
    st.session_state[_TOUCHED] = True


def _take(name: str, key: str) -> None:
    put(name, st.session_state[key])
