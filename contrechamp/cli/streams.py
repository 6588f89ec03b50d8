"""``contrechamp streams``: the twenty-five data streams, what their files hold and how they are made up."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from contrechamp.cli._common import emit, emit_table
from contrechamp.domain.text import Lang

app = typer.Typer(help="Les flux de données de la ville. (The city's data streams.)", no_args_is_help=True)


@app.command("list")
def list_streams(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Lister les flux D01 à D25. (List the streams.)"""
    from contrechamp.domain.streams import LAYOUTS

    rows = [
        {
            "id": layout.id, "key": key, "family": layout.family, "format": layout.format, "period": layout.period,
            "fr": layout.title.fr, "en": layout.title.en,
        }
        for key, layout in LAYOUTS.items()
    ]  # fmt: skip
    if as_json:
        emit(rows)
    else:
        emit_table(
            [(r["id"], r["key"], r["family"], r["format"], f"{r['fr']} ({r['en']})") for r in rows],
            ("id", "key", "family", "format", "title"),
        )


@app.command()
def sheets(lang: Annotated[Lang, typer.Option(help="Langue.")] = "fr") -> None:
    """Écrire toutes les fiches en Markdown, mécanismes compris. (Write every datasheet in Markdown.)"""
    from contrechamp.domain.streams import LAYOUTS
    from synthetic_data.catalogue import load_datasheets

    heads = {
        "fr": ("Inventé", "Ancre", "Laissé de côté", "Champs"),
        "en": ("Invented", "Anchor", "Left out", "Fields"),
    }[lang]
    titles = {
        "fr": "# Fiches : ce qui est inventé, d’après quelle ancre, et ce qui est laissé de côté",
        "en": "# Datasheets: what is invented, from which anchor, and what is left out",
    }
    print(f"{titles[lang]}\n")
    for key, sheet in load_datasheets().items():
        layout = LAYOUTS.get(key)
        print(f"## {f'{layout.id} · ' if layout else ''}{sheet.title.in_(lang)}\n")
        for head, text in zip(heads, (sheet.invented, sheet.anchor, sheet.leaves_out), strict=False):
            print(f"- **{head}.** {text.in_(lang)}")
        if layout:
            fields = ", ".join(f"`{f.raw}`" + (f" ({f.unit})" if f.unit else "") for f in layout.fields)
            print(f"- **{heads[-1]}.** `{key}`, {layout.format}, {fields}")
        print()


@app.command()
def show(
    stream: Annotated[str, typer.Argument(metavar="FLUX", help="Clef ou numéro (key or number): pompiers, D08.")],
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Montrer les champs d'un flux et sa fiche. (Show the fields of a stream and its datasheet.)"""
    from contrechamp.domain.errors import ParameterError
    from contrechamp.domain.streams import LAYOUTS
    from synthetic_data.catalogue import load_datasheets

    keys = {layout.id: key for key, layout in LAYOUTS.items()}
    key = keys.get(stream.upper(), stream)
    if key not in LAYOUTS:
        raise ParameterError(
            f"There is no stream {stream!r}. Streams are {', '.join(f'{i} ({k})' for i, k in keys.items())}."
        )
    layout, sheet = LAYOUTS[key], load_datasheets()[key]
    fields: list[dict[str, Any]] = [
        {
            "field": f.raw, "kind": f.kind, "unit": f.unit, "required": f.required, "allowed": list(f.allowed),
            "person": f.person,
        }
        for f in layout.fields
    ]  # fmt: skip
    said = {
        part: {"fr": text.fr, "en": text.en}
        for part, text in (
            ("title", layout.title), ("invented", sheet.invented), ("anchor", sheet.anchor),
            ("leaves_out", sheet.leaves_out),
        )
    }  # fmt: skip
    if as_json:
        about = {"id": layout.id, "key": key, "family": layout.family, "format": layout.format, "period": layout.period}
        emit({**about, "identity": list(layout.identity), "fields": fields, **said})
        return
    print(f"{layout.id} {key} : {layout.title.fr} ({layout.title.en})")
    print(f"{layout.format}, {layout.period}; identity: {', '.join(layout.identity)}\n")
    emit_table(
        [
            (f["field"], f["kind"], f["unit"], "oui" if f["required"] else "non", f["person"] or "",
             ", ".join(f["allowed"]))
            for f in fields
        ],
        ("field", "kind", "unit", "required", "person", "allowed"),
    )  # fmt: skip
    heads = {"invented": "Inventé", "anchor": "Ancre", "leaves_out": "Laissé de côté"}
    for part, head in heads.items():
        print(f"\n{head} : {said[part]['fr']}\n({said[part]['en']})")
