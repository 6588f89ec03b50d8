"""Laws of published tables: rows are conserved, twice is once, no bytes and no order make the books wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ContractError
from contrechamp.pipelines.ingest import ingest
from contrechamp.store import lake as store
from ingest import FORMATS, load_format

HEADS = {
    "police-uk": "Crime ID,Month,Longitude,Latitude,Crime type",
    "chicago": "ID,Date,X Coordinate,Y Coordinate,Primary Type",
    "nij-2017": "occ_date,x_coordina,y_coordina,call_group_type,other",
}
words = st.sampled_from(
    ["", " ", "A", "B", "2023-07", "2015-09-05T13:30:00", "03/08/2015 02:30:00 AM", "2012-03-05", "-0.128", "51.508",
     "1165074", "1875917", "7643853", "683038", "0", "1e999", "nan", "now", "NaT", "9999-12-31", "0000-00", '"', "é"]
) | st.text(max_size=4)  # fmt: skip
rows = st.lists(st.lists(words, min_size=5, max_size=5).map(",".join), max_size=10)
usable = {
    "police-uk": ",2023-07,-0.128,51.508,Burglary",
    "chicago": "1,2015-09-05T13:30:00,1165074,1875917,THEFT",
    "nij-2017": "2012-03-05,7643853,683038,DISORDER,",
}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(FORMATS)), rows, st.integers(1, 3), st.binary(max_size=20))
def test_rows_are_conserved_and_twice_is_once(name: str, drawn: list[str], copies: int, tail: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, lake = Path(folder) / "t-street.csv", Path(folder) / "lake"
        text = "\n".join([HEADS[name], *[usable[name]] * copies, *drawn, ""])
        path.write_bytes(text.encode() + tail)
        first = ingest(path, lake=lake, mapping=load_format(name))
        assert first.rows_in == first.committed + first.quarantined + first.duplicates
        assert first.rows_in >= copies
        found = store.read_stream(lake, "incidents")
        assert (len(found), len(store.read_quarantine(lake))) == (first.committed, first.quarantined)
        assert found["record_id"].is_unique
        assert found.notna().all().all()
        assert len(found) >= (1 if name == "chicago" else copies)
        second = ingest(path, lake=lake, mapping=load_format(name))
        assert (second.committed, second.quarantined, second.versions) == (0, 0, first.versions)
        # under another name every row is read again: no record is added
        copy = path.rename(path.with_name("u-street.csv"))
        third = ingest(copy, lake=lake, mapping=load_format(name))
        assert (third.committed, third.rows_in) == (0, first.rows_in)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(list(FORMATS)), st.binary(max_size=200))
def test_any_bytes_end_in_a_report_or_one_paragraph(name: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(data)
        try:
            report = ingest(path, lake=Path(folder) / "lake", mapping=load_format(name))
        except ContractError as refused:
            assert "\n" not in str(refused)
            assert len(store.read_quarantine(Path(folder) / "lake")) > 0
        else:
            assert report.rows_in == report.committed + report.quarantined + report.duplicates
