"""A sealed folder: any change of any byte of any file is found and the file named."""

import random
import stat
from pathlib import Path

import pytest

from contrechamp.audit import evidence, keys
from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from contrechamp.domain.provenance import digest
from contrechamp.store.runs import write_json


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "tables").mkdir(parents=True)
    write_json(folder / "run.json", {"run_id": "r", "started_at": "2026-01-01T00:00:00+00:00"})
    body = {"results": [{"id": "R-0001", "value": 1.5}, {"id": "R-0002", "value": None}], "verdicts": []}
    write_json(folder / "results.json", {**body, "digest": digest(body)})
    (folder / "tables" / "t.parquet").write_bytes(bytes(range(256)))
    (folder / "empty").write_bytes(b"")
    evidence.seal(folder, key_file=tmp_path / "keys" / "key.pem")
    return folder


def test_an_untouched_run_is_intact_and_describes_itself(run: Path, tmp_path: Path) -> None:
    found = evidence.require_intact(run)
    # run.json, results.json, t.parquet, empty; ro-crate-metadata.json, chain.txt, prov.json, statement, verify.py
    assert found.files == 9
    assert found.records == 2
    assert found.published_verifier
    assert len(found.fingerprint) == 64
    assert evidence.check(run, fingerprint=found.fingerprint).problems == ()
    assert evidence.check(run, fingerprint="0" * 64).problems != ()
    key = tmp_path / "keys" / "key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert not list(run.rglob("*.pem")), "the key never travels"
    assert "tables/t.parquet" in (run / evidence.CRATE).read_text()


def test_every_flipped_byte_is_found_and_its_file_named(run: Path) -> None:
    files = sorted(p for p in run.rglob("*") if p.is_file() and p.stat().st_size)
    draw = random.Random(20170428)
    for path in files:
        original = path.read_bytes()
        positions = range(len(original)) if len(original) < 300 else draw.sample(range(len(original)), 60)
        for position in positions:
            damaged = bytearray(original)
            damaged[position] ^= 1 << draw.randrange(8)
            path.write_bytes(bytes(damaged))
            problems = evidence.check(run).problems
            assert any(path.relative_to(run).as_posix() in p for p in problems), (path, position, problems)
        path.write_bytes(original)
    assert evidence.check(run).problems == ()


@pytest.mark.parametrize("act", ["delete", "add", "rename", "swap", "link", "grow"])
def test_other_tampering_is_found(run: Path, act: str) -> None:
    table, results = run / "tables" / "t.parquet", run / "results.json"
    if act == "delete":
        table.unlink()
    elif act == "add":
        (run / "extra.txt").write_text("x")
    elif act == "rename":
        table.rename(run / "tables" / "u.parquet")
    elif act == "swap":
        a, b = table.read_bytes(), results.read_bytes()
        table.write_bytes(b)
        results.write_bytes(a)
    elif act == "link":
        copy = run.parent / "copy"
        copy.write_bytes(table.read_bytes())
        table.unlink()
        table.symlink_to(copy)
    else:
        table.write_bytes(table.read_bytes() + b"\0")
    with pytest.raises(IntegrityError, match=r"t\.parquet|u\.parquet|extra\.txt"):
        evidence.require_intact(run)


def test_resealing_with_another_key_shows_in_the_fingerprint(run: Path, tmp_path: Path) -> None:
    first = evidence.check(run).fingerprint
    write_json(run / "results.json", {"results": [], "digest": digest({"results": []})})
    (run / evidence.MANIFEST).unlink()
    (run / evidence.SIGNATURE).unlink()
    evidence.seal(run, key_file=tmp_path / "other.pem")
    assert evidence.check(run).problems == (), "a forger can seal a forgery with a key of their own"
    assert evidence.check(run, fingerprint=first).problems != (), "who knows the fingerprint sees it"


def test_a_folder_that_is_no_run_and_a_key_that_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="not a sealed run"):
        evidence.check(tmp_path)
    (tmp_path / "bad.pem").write_text("not a key")
    with pytest.raises(ParameterError, match="cannot be used"):
        keys.signing_key(tmp_path / "bad.pem")
