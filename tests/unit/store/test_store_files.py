"""Small files: same content, same bytes; a bad archive is said, not raised raw."""

import gzip
import hashlib

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from contrechamp.domain.errors import ContractError
from contrechamp.store import files


def test_every_writer_returns_the_digest_of_what_lies_on_disk(tmp_path):
    frame = pd.DataFrame({"t": pd.to_datetime(["2017-07-01T00:00:00Z", None]).as_unit("us"), "word": ["é", None]})
    plain = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:2154")
    for name, write in {
        "a/b.txt": lambda p: files.write_text(p, "é\n"),
        "c.json": lambda p: files.write_json(p, {"b": 1.0, "a": (1, 2)}),
        "d.gz": lambda p: files.write_gz(p, b"x" * 1000),
        "e.parquet": lambda p: files.write_parquet(frame, p),
        "f.parquet": lambda p: files.write_parquet(plain, p),
    }.items():
        path = tmp_path / name
        first = write(path)
        assert first == files.sha256_file(path) == hashlib.sha256(path.read_bytes()).hexdigest()
        assert write(path) == first
    assert not list(tmp_path.rglob("*.partial"))
    assert (tmp_path / "c.json").read_text() == '{"a":[1,2],"b":1.0}\n'
    assert gzip.decompress((tmp_path / "d.gz").read_bytes()) == files.read_gz(tmp_path / "d.gz") == b"x" * 1000
    pd.testing.assert_frame_equal(files.read_parquet(tmp_path / "e.parquet"), frame)
    assert files.read_geoparquet(tmp_path / "f.parquet").crs.to_epsg() == 2154


@pytest.mark.parametrize("data", [b"", b"noise", gzip.compress(b"x" * 1000)[:-12]])
def test_a_broken_archive_is_a_contract_error(tmp_path, data):
    path = tmp_path / "x.gz"
    path.write_bytes(data)
    if not data:
        assert files.read_gz(path) == b""
        return
    with pytest.raises(ContractError, match="cannot be unpacked"):
        files.read_gz(path)
