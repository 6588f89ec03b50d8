"""Scores of video analytics as tables for a terminal: on whom first, then what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from contrechamp.cli._common import emit_table, say
from contrechamp.domain.situations import SITUATIONS

if TYPE_CHECKING:
    from contrechamp.pipelines.vsa_score import Scores


def print_scores(scores: Scores) -> None:
    """Print the tables that there are; a number never goes without its interval or its n."""
    tables = scores.tables
    printed = False
    for name, show in (("burden", _burden), ("events", _events), ("detection", _detection), ("mot", _mot)):
        if name in tables and len(tables[name]):
            if printed:
                print()
            show(tables[name])
            printed = True
    hours = float(tables["city"]["camera_h"].iloc[0]) if scores.sentences else 0.0
    if scores.sentences and hours < 1:
        say(f"{hours * 60:.1f} min de caméra : trop peu pour parler d'une ville. (Too little to speak of a city.)")
    for rung, preset, text in scores.sentences if hours >= 1 else ():
        rows = tables["events"]
        here = rows[(rows["rung"] == rung) & (rows["preset"] == preset)]
        if rung == "machine" and int(here["n_alerts"].sum()):
            say(f"{preset} : {text.fr} ({text.en})")


def _burden(table: pd.DataFrame) -> None:
    from contrechamp.pipelines.vsa_score import RUNG_TITLES

    rungs = [r for r in RUNG_TITLES if r in set(table["rung"])]
    said = table.groupby("preset", sort=False)["alerts"].sum()
    silent = [str(p) for p, n in said.items() if n == 0]
    rows = []
    for preset in (str(p) for p, n in said.items() if n):
        part = table[table["preset"] == preset]
        for situation in dict.fromkeys(part["situation"]):
            by = {r["rung"]: r for r in part[part["situation"] == situation].to_dict("records")}
            if not any(r["stays"] for r in by.values()):
                continue
            one = next(iter(by.values()))
            cells = [_flagged(by.get(r)) for r in rungs]
            rows.append((preset, _situation(situation), f"{one['person_h'] * 60:.1f}", *cells, _rate(by[rungs[-1]])))
    if rows:
        titles = [f"{RUNG_TITLES[r].fr} ({RUNG_TITLES[r].en})" for r in rungs]
        print("Qui est signalé : personnes signalées sur présentes [95 %]. (Who is flagged, of those present.)")
        emit_table(rows, ("réglage (preset)", "situation", "min", *titles, "alertes par h de personne (per person-h)"))
    if silent:
        say(f"Sans aucune alerte (no alert at all) : {', '.join(silent)}.")


def _flagged(row: Mapping[Any, Any] | None) -> str:
    if row is None or not row["stays"]:
        return "-"
    return f"{row['stays_flagged']}/{row['stays']} [{row['p_flagged_low']:.2f}, {row['p_flagged_high']:.2f}]"


def _rate(row: Mapping[Any, Any]) -> str:
    if row["rate"] != row["rate"]:
        return "non estimable"
    return f"{row['rate']:.1f} [{row['rate_low']:.1f}, {row['rate_high']:.1f}]"


def _situation(key: str) -> str:
    return SITUATIONS[key].label.fr if key in SITUATIONS else key


def _events(table: pd.DataFrame) -> None:
    rows = [
        (r["preset"], r["rung"], r["n_events"], r["found"], r["false"], _share(r, "precision"), _share(r, "recall"),
         "-" if pd.isna(r["ndcr"]) else f"{r['ndcr']:.2f}")
        for r in table.to_dict("records") if r["n_events"] or r["n_alerts"]
    ]  # fmt: skip
    if rows:
        print("Condition de la règle, lue dans la vérité, à 10 s près. (The rule's condition, read in the truth.)")
        emit_table(
            rows,
            ("réglage (preset)", "échelon (rung)", "n", "trouvés (found)", "faux (false)", "précision [95 %]",
             "rappel (recall) [95 %]", "NDCR"),
        )  # fmt: skip


def _detection(table: pd.DataFrame) -> None:
    part = table[(table["by"] != "visibility") & (table["n_boxes"] > 0)]
    rows = [
        (r["label"], _situation(r["key"]), r["n_boxes"], _by_scene(r, "ap50"), _by_scene(r, "recall"))
        for r in part.to_dict("records")
    ]
    print("Boîtes, une image par seconde ; intervalle par scène. (Boxes, a frame a second; interval by scene.)")
    emit_table(rows, ("classe (label)", "situation", "n", "AP50 [95 %]", "rappel (recall) [95 %]"))


def _mot(table: pd.DataFrame) -> None:
    rows = [
        (r["clip_id"], r["n_subjects"], r["n_tracks"], *(f"{r[k]:.3f}" for k in ("hota", "idf1", "mota")), r["idsw"])
        for r in table.to_dict("records")
    ]
    print("Pistes. (Tracks.)")
    emit_table(
        rows,
        ("clip", "personnes (persons)", "pistes (tracks)", "HOTA", "IDF1", "MOTA", "échanges (switches)"),
    )


def _share(row: Mapping[Any, Any], name: str) -> str:
    if pd.isna(row[name]):
        return "non estimable"
    return f"{row[name]:.2f} [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"


def _by_scene(row: Mapping[Any, Any], name: str) -> str:
    if pd.isna(row[name]):
        return "non estimable"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return f"{row[name]:.3f}" if pd.isna(low) else f"{row[name]:.3f} [{low:.3f}, {high:.3f}]"
