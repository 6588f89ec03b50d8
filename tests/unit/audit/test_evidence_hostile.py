"""Folders that a verifier did not make: links, pipes, odd names, huge or nested files, and keys made by two at once."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contrechamp.audit import evidence, keys
from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from contrechamp.domain.provenance import digest
from contrechamp.store.runs import write_json


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "tables").mkdir(parents=True)
    write_json(folder / "run.json", {"run_id": "r", "started_at": "2026-01-01T00:00:00+00:00"})
    write_json(folder / "results.json", {"digest": digest({})})
    return folder


@pytest.fixture
def sealed(folder: Path, tmp_path: Path) -> Path:
    evidence.seal(folder, key_file=tmp_path / "key.pem")
    return folder


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "pipe", "newline", "bytes"])
def test_what_a_signature_cannot_cover_is_not_sealed(folder: Path, tmp_path: Path, kind: str) -> None:
    odd = folder / "tables" / "odd"
    if kind == "link":
        odd.symlink_to(folder / "results.json")
    elif kind == "dangling":
        odd.symlink_to(tmp_path / "nowhere")
    elif kind == "folder":
        odd.symlink_to(tmp_path)
    elif kind == "pipe":
        os.mkfifo(odd)
    elif kind == "newline":
        (folder / "a\nb").write_text("x")
    else:
        (folder / os.fsdecode(b"\xff")).write_text("x")
    with pytest.raises(ContractError, match="cannot be sealed"):
        evidence.seal(folder, key_file=tmp_path / "key.pem")
    assert not (folder / evidence.MANIFEST).exists()


def test_a_link_listed_in_a_signed_manifest_is_not_intact(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "l").symlink_to(tmp_path / "target")
    (tmp_path / "target").write_text("signed words")
    with monkeypatch.context() as forger:
        forger.setattr(evidence, "_regular", lambda path: True)
        evidence.seal(folder, key_file=tmp_path / "key.pem")
    assert evidence.check(folder).problems == ("l: a link or a special file, whose content no signature can cover",)


@pytest.mark.parametrize("name", [evidence.MANIFEST, evidence.SIGNATURE])
@pytest.mark.parametrize("content", ["[" * 100_000, "{}", '{"files": [1]}', "", "9" * 5000])
def test_nonsense_in_the_seal_is_a_fault_that_is_named(sealed: Path, name: str, content: str) -> None:
    (sealed / name).write_text(content)
    with pytest.raises(IntegrityError, match=name):
        evidence.require_intact(sealed)


@pytest.mark.parametrize("name", [evidence.MANIFEST, evidence.SIGNATURE])
def test_a_pipe_in_place_of_the_seal_does_not_hang(sealed: Path, name: str) -> None:
    (sealed / name).unlink()
    os.mkfifo(sealed / name)
    assert any(p.startswith(name) for p in evidence.check(sealed).problems)


def test_names_cannot_write_on_the_verifier_s_terminal(sealed: Path) -> None:
    (sealed / "x\n12 fichiers intacts\x1b[2J").write_text("")
    (sealed / os.fsdecode(b"\xff\xfe")).write_text("")
    with pytest.raises(IntegrityError) as caught:
        evidence.require_intact(sealed)
    assert str(caught.value).isprintable()


def test_a_thousand_faults_are_counted_and_fifty_shown(sealed: Path) -> None:
    for n in range(200):
        (sealed / f"extra{n:03d}").write_text("")
    with pytest.raises(IntegrityError, match=r"and 150 more$"):
        evidence.require_intact(sealed)


def test_an_empty_expected_fingerprint_is_not_no_fingerprint(sealed: Path) -> None:
    own = evidence.check(sealed).fingerprint
    spaced = " ".join(own.upper()[i : i + 4] for i in range(0, 64, 4))
    assert evidence.check(sealed, fingerprint=spaced).problems == ()
    assert evidence.check(sealed, fingerprint="").problems, "`--key $UNSET` must not accept any key"


def test_the_listing_of_the_seal_is_what_the_signature_covers(sealed: Path) -> None:
    body = json.loads((sealed / evidence.MANIFEST).read_text())
    assert sorted(body["files"]) == [
        "chain.txt", "prov.json", "results.json", evidence.CRATE, "run.json", "statement.dsse.json", "verify.py",
    ]  # fmt: skip


def test_two_that_make_the_key_at_once_get_the_same_one(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "key.pem"
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: keys.signing_key(path), range(64)))
    assert len({k.private_bytes_raw() for k in made}) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["key.pem"], "no half-made key is left behind"


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv(keys.KEY_VARIABLE, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(ParameterError, match=keys.KEY_VARIABLE):
        keys.default_key_file()
