"""``contrechamp show-versions``."""

from __future__ import annotations

from typing import Annotated

import typer

from contrechamp.cli._common import emit, emit_table


def show_versions(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Dire les versions qui produisent les nombres. (Say which versions produce the numbers.)"""
    from contrechamp.audit.environment import describe_environment

    found = describe_environment()
    if as_json:
        emit(found)
        return
    rows = [(k, v) for k, v in found.items() if k != "packages"]
    emit_table([*rows, *found["packages"].items()], ("what", "version"))
