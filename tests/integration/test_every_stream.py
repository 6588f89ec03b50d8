"""Twenty-five streams drawn, dropped and ingested: every fault comes back under a reason, every row is counted."""

import pytest

from contrechamp.domain.streams import LAYOUTS
from contrechamp.pipelines.generate import generate
from contrechamp.pipelines.ingest import ingest
from contrechamp.store.lake import read_quarantine, read_stream
from synthetic_data.scenario import Scenario

TOWN = Scenario.load().with_overrides(
    {
        "time.n_days": 14, "streams.dense_days": 2, "city.area_km2": 12, "city.population": 30_000,
        "city.n_quarters": 12, "city.n_districts": 3, "city.sites_per_cell": 8, "city.n_bars": 60,
        "city.n_schools": 15, "city.n_stations": 6, "incidents.latent_per_day": 200, "recording.records_per_day": 60,
        "fines.fines_per_day": 30, "fines.infractions_per_day": 1000, "cameras.n_cameras": 40,
        "services.rescues_per_day": 20, "services.stock_per_day": 2, "services.offences_per_day": 20,
        "social.posts_per_day": 1500,
    }
)  # fmt: skip
#: Faults that reach the records: a row that is only late, and one of two equal rows.
TAKEN = ("clean", "late", "exact_duplicate")


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    work = tmp_path_factory.mktemp("town")
    made = generate(TOWN, seed=9, work=work, jobs=2)
    report = ingest(work / "landing", lake=work / "lake", key=b"k" * 32)
    counts = dict.fromkeys(LAYOUTS, (0, 0, 0, 0))
    for f in report.files:
        step = (f.rows_in, f.committed, f.quarantined, f.duplicates)
        counts[f.stream] = tuple(a + b for a, b in zip(counts[f.stream], step, strict=True))
    return work, made, counts


@pytest.mark.parametrize("stream", list(LAYOUTS))
def test_every_row_dropped_is_taken_in_set_aside_or_known_already(town, stream):
    work, made, counts = town
    faults = made.dirt[stream]
    refused = sum(n for fault, n in faults.items() if fault not in TAKEN)
    taken = sum(faults.get(fault, 0) for fault in TAKEN) + faults.get("reentered", 0)
    assert counts[stream] == (made.rows[stream], taken, refused, faults.get("exact_duplicate", 0))
    assert len(read_stream(work / "lake", stream)) == taken


def test_no_name_telephone_plate_or_account_reaches_a_record_table(town):
    work, _, _ = town
    for stream, layout in LAYOUTS.items():
        records = read_stream(work / "lake", stream)
        shown = {f.name for f in layout.fields if f.person}
        assert not shown & set(records.columns), stream
        for p in layout.pseudonyms:
            values = records[p.column].dropna()
            assert len(values) > 0, stream
            assert values.str.startswith(f"{p.prefix}_").all(), stream
        if {"user"} & shown:
            assert not records["record_id"].str.contains("|", regex=False).any() or (
                records["record_id"].str.startswith("usr_").all()
            ), stream


def test_one_person_bears_one_pseudonym_across_streams(town):
    """Joins are real: who holds the lake can put together the reports, the movements and the stress of one user."""
    work, _, _ = town
    users = [set(read_stream(work / "lake", s)["user_pseudonym"]) for s in ("capteurs_vitesse", "capteurs_stress")]
    assert len(users[0] & users[1]) > 0.9 * min(map(len, users))
    reported = set(read_stream(work / "lake", "signalements")["user_pseudonym"])
    assert reported
    fined, towed = (read_stream(work / "lake", s)["plate_pseudonym"] for s in ("verbalisations", "enlevements"))
    assert set(towed) & set(fined)


def test_quarantine_bears_a_reason_and_the_file_of_each_row(town):
    work, made, _ = town
    refused = read_quarantine(work / "lake")
    planted = sum(n for faults in made.dirt.values() for fault, n in faults.items() if fault not in TAKEN)
    assert len(refused) == planted > 1000
    assert refused["reason"].notna().all()
    assert set(refused["stream"]) <= set(LAYOUTS)
