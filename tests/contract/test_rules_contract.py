"""One suite over every registered rule and preset."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from contrechamp.domain.video import (
    ALERT_COLUMNS,
    BOX,
    TRACE_COLUMNS,
    TRACK_COLUMNS,
    Camera,
    ClipMeta,
    Line,
    Zone,
    as_table,
)
from vsa.rules import PRESETS, RULES, apply, configured, describe, rule_class

CAMERA = Camera(640, 360, 500.0, 4.0, 20.0)
META = ClipMeta(
    "clip",
    12.5,
    2_000,
    CAMERA,
    zones=(Zone("a", ((-6, 6), (6, 6), (6, 20), (-6, 20))), Zone("b", ((100, 50), (600, 50), (600, 350)), "image")),
    lines=(Line("gate", (0, 4), (0, 40)), Line("drawn", (320, 10), (300, 350), "image")),
)
UNITS = {"", "s", "m", "m/s", "deg", "frames", "frames/s", "persons", "persons/m2"}


@pytest.fixture(scope="module")
def tracks() -> pd.DataFrame:
    """Forty wanderers and five things, with gaps, over 160 s."""
    rng = stream(3, "rules", "contract")
    parts = []
    for who in range(45):
        first, n = int(rng.integers(0, 400)), int(rng.integers(100, 1_500))
        still = who >= 40 or who % 3 == 0
        steps = np.zeros((n, 2)) if still else rng.normal(0, 0.12, size=(n, 2))
        xy = np.clip(rng.uniform([-8, 6], [8, 22]) + np.cumsum(steps, axis=0), [-9, 5], [9, 30])
        feet = np.column_stack([xy, np.zeros(n)])
        low, top = CAMERA.project(feet)[0], CAMERA.project(feet + np.array([0, 0, 1.7 if who < 40 else 0.4]))[0]
        frame = np.arange(first, first + n)
        parts.append(
            pd.DataFrame(
                {
                    "frame": frame,
                    "t_s": frame / 12.5,
                    "track_id": who,
                    "label": "person" if who < 40 else "object",
                    **dict(zip(BOX, (low[:, 0] - 9, top[:, 1], low[:, 0] + 9, low[:, 1]), strict=True)),
                    "score": 0.9,
                    "x_m": xy[:, 0],
                    "y_m": xy[:, 1],
                }
            )[rng.random(n) > 0.1]
        )
    return pd.concat(parts).sort_values(["frame", "track_id"], ignore_index=True)


@pytest.mark.parametrize("key", [*RULES, *PRESETS])
def test_alerts_and_traces_keep_their_contract(key: str, tracks: pd.DataFrame) -> None:
    before = tracks.copy()
    alerts = apply(tracks, meta=META, rule=key)
    pd.testing.assert_frame_equal(tracks, before)
    table, trace = alerts.table, alerts.trace
    assert {c: str(t) for c, t in table.dtypes.items()} == dict(ALERT_COLUMNS)
    assert {c: str(t) for c, t in trace.dtypes.items()} == dict(TRACE_COLUMNS)
    assert table["alert_id"].tolist() == list(range(len(table)))
    assert table[["frame", "track_id", "zone"]].equals(
        table[["frame", "track_id", "zone"]].sort_values(["frame", "track_id", "zone"], kind="stable")
    )
    rule = configured(key)
    assert set(table["rule"]) <= {rule.key}
    assert set(table["preset"]) <= {key if key in PRESETS else ""}
    assert set(table["unit"]) <= {rule.unit}
    areas = {line.name for line in META.lines} if rule.area == "lines" else {"a", "b", "a+b"}
    assert set(table["zone"]) <= areas
    label = tracks.drop_duplicates("track_id").set_index("track_id")["label"]
    owners = table.loc[table["track_id"] >= 0, "track_id"]
    assert set(owners.map(label)) <= {rule.subject}
    for alert in table.itertuples():
        why = trace[trace["alert_id"] == alert.alert_id]
        assert why["frame"].tolist() == list(range(round(alert.t_since_s * 12.5), alert.frame + 1))
        assert why["t_s"].iloc[-1] == alert.t_alert_s == alert.frame / 12.5
        assert alert.t_since_s <= alert.t_alert_s
        if rule.unit == "s":
            assert alert.value == why["clock_s"].iloc[-1] >= alert.threshold - 1e-9
    again = apply(tracks, meta=META, rule=key)
    pd.testing.assert_frame_equal(again.table, table)
    pd.testing.assert_frame_equal(again.trace, trace)


def test_most_rules_find_something_here(tracks: pd.DataFrame) -> None:
    silent = {key for key in RULES if apply(tracks, meta=META, rule=key).table.empty}
    assert silent <= {"density", "crowd-movement", "fall", "running", "counter-flow", "loitering-frigate"}


@pytest.mark.parametrize("key", [*RULES, *PRESETS])
def test_empty_in_empty_out(key: str) -> None:
    alerts = apply(as_table({}, TRACK_COLUMNS, what="tracks"), meta=META, rule=key)
    assert {c: str(t) for c, t in alerts.table.dtypes.items()} == dict(ALERT_COLUMNS)
    assert {c: str(t) for c, t in alerts.trace.dtypes.items()} == dict(TRACE_COLUMNS)
    assert len(alerts.table) == len(alerts.trace) == 0


@pytest.mark.parametrize("key", RULES)
def test_every_parameter_says_its_unit_its_domain_and_its_name_in_both_languages(key: str) -> None:
    cls = rule_class(key)
    assert cls.key == key
    assert isinstance(cls.label, Text)
    for p in cls.parameters():
        assert p["unit"] in UNITS, p
        assert p["label"]["fr"].strip() and p["label"]["en"].strip()
        suffix = {"s": "_s", "m": "_m", "m/s": "_m_s", "deg": "_deg", "persons/m2": "_per_m2"}.get(p["unit"])
        assert suffix is None or p["name"].endswith(suffix), p
    doc = sys.modules[cls.__module__].__doc__
    assert doc is not None and "What it cannot tell you" in doc


@pytest.mark.parametrize("key", RULES)
def test_outside_its_domain_a_parameter_is_refused_by_name(key: str) -> None:
    cls = rule_class(key)
    assert dataclasses.is_dataclass(cls)
    for p in cls.parameters():
        wrong = {"word": ["nonsense", 3], "switch": [1, "yes"], "number": [float("nan"), "60", True]}[p["type"]]
        if p["type"] == "number":
            wrong += [p["low"] - 1] + ([] if p["high"] is None else [p["high"] + 1])
            wrong += [float("inf")] + ([2.5] if isinstance(p["default"], int) else [])
        wrong += [] if p["optional"] else [None]
        for value in wrong:
            with pytest.raises(ParameterError, match=f"`{p['name']}`"):
                configured(key, **{p["name"]: value})


def test_unknown_names_are_refused_with_those_that_exist() -> None:
    with pytest.raises(ParameterError, match="frigate"):
        configured("frigat")
    with pytest.raises(ParameterError, match="dwell_s"):
        configured("ratp-300s", dwell=3.0)
    with pytest.raises(ParameterError, match="running"):
        rule_class("supervision-example")


def test_two_areas_of_one_name_are_refused(tracks: pd.DataFrame) -> None:
    twins = [META.zones[0], dataclasses.replace(META.zones[1], name="a")]
    with pytest.raises(ParameterError, match="distinct names"):
        apply(tracks, meta=META, rule="presence", zones=twins)


def test_the_list_is_complete_and_is_json() -> None:
    rows = describe()
    assert [r["key"] for r in rows] == [*RULES, *PRESETS]
    assert json.loads(json.dumps(rows, allow_nan=False, ensure_ascii=False)) == rows
    by_key = {r["key"]: r for r in rows}
    values = {p["name"]: p["value"] for p in by_key["ratp-300s"]["parameters"]}
    assert values["dwell_s"] == 300.0
    assert values["max_radius_m"] == 2.0
    assert values["id_stitch_m"] is None
    for key in PRESETS:
        assert by_key[key]["source"]
        assert by_key[key]["unknown"]["fr"]
        assert {p["name"] for p in by_key[key]["parameters"]} >= set(PRESETS[key].params)
    required = {"supervision-example", "roboflow-v3", "frigate", "hikvision-default", "ratp-300s", "toulouse-120s"}
    assert required <= set(PRESETS)


def test_listing_rules_waits_for_no_compiler_and_no_vision_library() -> None:
    code = "import sys, vsa.rules as r, vsa.tracking; r.describe(); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numba", "torch", "cv2", "supervision", "trackers"} & set(out)


def test_the_page_gives_every_default_and_unit_in_both_languages() -> None:
    page = (Path(__file__).parents[2] / "docs" / "regles-video.md").read_text(encoding="utf-8")
    french, english = page.split("\n# Video rules\n")
    words = {"fr": {None: "aucun", True: "oui", False: "non"}, "en": {None: "none", True: "yes", False: "no"}}
    for lang, text in (("fr", french), ("en", english)):
        for row in describe():
            if row["kind"] == "preset":
                assert f"| `{row['key']}` | `{row['rule']}` | {row['label'][lang]} | {row['unknown'][lang]} |" in text
                continue
            section = text.split(f"\n#### `{row['key']}`: {row['label'][lang]}\n")[1].split("\n#### ")[0]
            for p in row["parameters"]:
                value = p["default"]
                if value is None or isinstance(value, bool):
                    shown = words[lang][value]
                elif isinstance(value, str):
                    shown = f"`{value}`"
                else:
                    shown = f"{value:g}".replace(".", "," if lang == "fr" else ".")
                assert f"| `{p['name']}` | {shown} | {p['unit'] or '–'} | {p['label'][lang]} |" in section
