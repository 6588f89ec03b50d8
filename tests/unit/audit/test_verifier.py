"""The program that travels with a run: records named, statement and time stamp held, hostile folders refused."""

import ast
import base64
import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import prov.model
import pytest

from contrechamp.audit import attestation, evidence, keys, verifier
from contrechamp.domain.errors import ContractError, IntegrityError
from contrechamp.domain.provenance import canonical_json, digest
from contrechamp.store.runs import write_json

# A real RFC 3161 response for the bytes b"a signature", made with `openssl ts -reply` by an authority of one day.
TOKEN = base64.b64decode(
    "MIIDOTADAgEAMIIDMAYJKoZIhvcNAQcCoIIDITCCAx0CAQMxDzANBglghkgBZQMEAgEFADBoBgsqhkiG9w0BCRABBKBZBFcwVQIBAQYEKgMEAT"
    "AxMA0GCWCGSAFlAwQCAQUABCCATQoEhwPfhvWMg8GmL7LbhNAB2egZuwa61ENffyOf0QIBAhgPMjAyNjExMjIxMDU2NDdaMAMCAQGgggFkMIIB"
    "YDCCAQegAwIBAgIUSon/ZlOQr9MuwSlKtG2FZ7bjDh0wCgYIKoZIzj0EAwIwEzERMA8GA1UEAwwIVGVzdCBUU0EwHhcNMjYxMTIyMTA1NjQ3Wh"
    "cNMzYxMTE5MTA1NjQ3WjATMREwDwYDVQQDDAhUZXN0IFRTQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPEMBHdjbpOg4107y2OR6p1DxTIl"
    "KlU/UqbuJbwIWBmtytALNifFKB9b+A2ApsCcY3KiyrMc3F+TbnOFgsERs9KjOTA3MBYGA1UdJQEB/wQMMAoGCCsGAQUFBwMIMB0GA1UdDgQWBB"
    "SzP4wxlhovz3CCPd7E89tisRsjfDAKBggqhkjOPQQDAgNHADBEAiAcJlZhnPC1BWO82oxd7Dp48Exm+0hgfQDdlB83/DQfkwIgQWD0EyJt+EE1"
    "5bzlZvqyCx0CC2qf5uummzRAXqCff3kxggEzMIIBLwIBATArMBMxETAPBgNVBAMMCFRlc3QgVFNBAhRKif9mU5Cv0y7BKUq0bYVntuMOHTANBg"
    "lghkgBZQMEAgEFAKCBmDAaBgkqhkiG9w0BCQMxDQYLKoZIhvcNAQkQAQQwHAYJKoZIhvcNAQkFMQ8XDTI2MTEyMjEwNTY0N1owKwYLKoZIhvcN"
    "AQkQAgwxHDAaMBgwFgQUggqufpf33Go16JCsV23w66NiAR4wLwYJKoZIhvcNAQkEMSIEIAwmS9LlYPrdiZ/90ZHVlE/2xjDKIaItWH4vU6EhwN"
    "LeMAoGCCqGSM49BAMCBEcwRQIgD2jCvuC4ZVl021KGPCLkQMwvgVh9RwrwuO7Dyek+UNcCIQCT4HJsZJBH9mViZXsQZnfAtyvc0hS7LQE2V7ls"
    "kUefCQ=="
)
STAMPED = hashlib.sha256(b"a signature").digest()
PLAN = {"seed": 3, "rules": [{"threshold": 0.1}]}
RESULTS: dict[str, Any] = {
    "schema": "contrechamp/results/1",
    "request": {"seed": 3, "profile": "quick", "claims": ["C12"], "scenario_sha256": "a" * 64},
    "results": [
        {"id": f"R-000{n}", "value": n / 7, "world": {"é": n}, "n": None, "why": "a\nb \u2028 « c »"}
        for n in range(1, 6)
    ],
    "verdicts": [{"claim": "C12", "verdict": "refuted"}],
    "plan": {"sha256": digest(PLAN), "deviations": []},
    "tables": {},
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "tables").mkdir(parents=True)
    write_json(folder / "results.json", {**RESULTS, "digest": digest(RESULTS)})
    environment = {"contrechamp": "0.1.0", "python": "3.11", "commit": "ab" * 20, "dirty": False}
    environment["constraints_sha256"] = "cd" * 32
    started = {"run_id": "r", "started_at": "2026-01-01T00:00:00+00:00"}
    write_json(folder / "run.json", {**started, "environment": environment, "results_digest": digest(RESULTS)})
    write_json(folder / "plan.json", {"sha256": digest(PLAN), "plan": PLAN})
    (folder / "tables" / "t.parquet").write_bytes(bytes(range(256)))
    evidence.seal(folder, key_file=tmp_path / "keys" / "key.pem")
    return folder


def said(run: Path, fingerprint: str | None = None) -> list[str]:
    """Faults that the program finds; the package must find some when it does, and none when it does not."""
    found = verifier.inspect(run, fingerprint)
    assert bool(found.faults) == bool(evidence.check(run, fingerprint=fingerprint).problems)
    return [f"{fault.name}: {fault.en}" for fault in found.faults]


def test_the_program_holds_in_python_3_8_and_imports_nothing_that_python_lacks() -> None:
    import sys

    tree = ast.parse(evidence.verifier_program(), feature_version=(3, 8))
    roots = {a.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    roots |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert roots <= sys.stdlib_module_names | {"__future__"}
    assert not roots & {"socket", "urllib", "http", "ssl", "subprocess", "ctypes", "pickle", "shutil", "tempfile"}


def test_two_programs_agree_on_an_untouched_run(run: Path) -> None:
    assert said(run) == []
    found = verifier.inspect(run)
    package = evidence.check(run)
    assert (found.files, found.fingerprint) == (package.files, package.fingerprint)
    assert found.contents.records == package.records == 5 + 1 + 4
    assert found.contents.digest == digest(RESULTS), "the digest of the package, without its rounding"
    assert (run / evidence.VERIFIER).read_bytes() == Path(verifier.__file__).read_bytes()


def test_sealing_again_writes_the_same_bytes_and_drops_a_token_of_the_signature_before(
    run: Path, tmp_path: Path
) -> None:
    before = {p.relative_to(run): p.read_bytes() for p in run.rglob("*") if p.is_file()}
    (run / verifier.TOKEN).write_bytes(TOKEN)
    evidence.seal(run, key_file=tmp_path / "keys" / "key.pem")
    assert {p.relative_to(run): p.read_bytes() for p in run.rglob("*") if p.is_file()} == before
    key = (tmp_path / "keys" / "key.pem").read_bytes()
    secret = keys.signing_key(tmp_path / "keys" / "key.pem").private_bytes_raw()
    assert not [n for n, data in before.items() if secret in data or key in data or base64.b64encode(secret) in data]


def test_its_canonical_bytes_are_those_of_the_package() -> None:
    body = json.loads(canonical_json(RESULTS))
    assert verifier.canonical(body) == canonical_json(RESULTS).encode()
    assert verifier.results_digest({**body, "digest": "x"}) == digest(RESULTS)


def _edit(run: Path, change: Callable[[Any], Any]) -> None:
    body = json.loads((run / "results.json").read_text())
    change(body)
    write_json(run / "results.json", body)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda b: b["results"][2].update(value=0.5), "records changed or removed: R-0003"),
        (lambda b: b["results"].pop(1), "records changed or removed: R-0002"),
        (lambda b: b["results"].insert(1, {**b["results"][1], "id": "R-0009"}), "records added: R-0009"),
        (lambda b: b["results"].insert(1, dict(b["results"][1])), "records added: R-0002"),
        (lambda b: b["results"][3].update(id="R-0007"), "records changed or removed: R-0004"),
        (lambda b: b["results"].reverse(), "order changed from R-0001 on"),
        (lambda b: b["results"].insert(4, b["results"].pop(3)), "order changed from R-0004 on"),
        (lambda b: b["verdicts"][0].update(verdict="supported"), "records changed or removed: C12"),
        (lambda b: b["request"].update(seed=4), "records changed or removed: request"),
        (lambda b: b.update(extra=1), "records added: extra"),
    ],
)
def test_a_change_of_a_record_names_it(run: Path, change: Callable[[Any], Any], words: str) -> None:
    _edit(run, change)
    lines = said(run)
    assert f"results.json: {words}" in lines, lines
    assert any(line.startswith("results.json: content changed") for line in lines)
    assert any(words in line for line in evidence.check(run).problems)


def test_a_file_cut_or_broken_still_names_what_is_lost(run: Path) -> None:
    path = run / "results.json"
    data = path.read_bytes()
    for share in (15, 50, 80):
        path.write_bytes(data[: len(data) * share // 100])
        assert any("records changed or removed: R-000" in line for line in said(run)), share
    where = data.index(b'"R-0003"')
    path.write_bytes(data[: where - 1] + b"\xff" + data[where:])
    (named,) = [line for line in said(run) if "records changed" in line]
    assert named == "results.json: records changed or removed: R-0003"


def test_the_chain_is_followed_link_by_link(run: Path, tmp_path: Path) -> None:
    path = run / verifier.CHAIN
    lines = path.read_text().splitlines()
    assert [line.split()[3] for line in lines[:3]] == ["R-0001", "R-0002", "R-0003"]
    first = hashlib.sha256(f"{verifier.FIRST_LINK} {' '.join(lines[0].split()[1:])}\n".encode()).hexdigest()
    assert lines[0].split()[0] == first, "the link is a SHA-256 that any tool can compute"
    for broken in (lines[::-1], lines[:-1], lines[1:], [*lines, lines[-1]], [*lines[:2], "x", *lines[3:]]):
        path.write_text("\n".join(broken) + "\n")
        lines_said = said(run)
        assert any(line.startswith(f"{verifier.CHAIN}: ") and "content" not in line for line in lines_said)
        assert not any(line.startswith("results.json") for line in lines_said), "the results are as they were"


def _payload(run: Path) -> Any:
    return json.loads(base64.b64decode(json.loads((run / verifier.STATEMENT).read_text())["payload"]))


def test_the_statement_says_what_made_the_run(run: Path) -> None:
    body = _payload(run)
    assert body["_type"] == "https://in-toto.io/Statement/v1"
    subjects = {s["name"]: s["digest"]["sha256"] for s in body["subject"]}
    assert set(subjects) == {"chain.txt", "plan.json", "results.json", "run.json", "tables/t.parquet"}
    assert subjects["results.json"] == hashlib.sha256((run / "results.json").read_bytes()).hexdigest()
    definition = body["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["command"] == (
        "contrechamp audit --profile quick --seed 3 --scenario scenario.resolved.toml --claim C12"
    )
    assert definition["resolvedDependencies"][0]["digest"] == {"gitCommit": "ab" * 20}
    assert definition["resolvedDependencies"][1] == {"name": "constraints.txt", "digest": {"sha256": "cd" * 32}}
    assert definition["internalParameters"]["plan_sha256"] == digest(PLAN)
    assert body["predicate"]["runDetails"]["builder"]["id"].endswith(evidence.check(run).fingerprint)


def test_another_library_reads_the_envelope_and_the_prov(run: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    envelope = json.loads((run / verifier.STATEMENT).read_text())
    public = base64.b64decode(json.loads((run / evidence.SIGNATURE).read_text())["public_key"])
    payload = base64.b64decode(envelope["payload"])
    signed = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(payload) + payload
    Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)
    document = prov.model.ProvDocument.deserialize(str(run / attestation.PROV))
    entities = {str(e.identifier): dict(e.attributes) for e in document.get_records(prov.model.ProvEntity)}
    hashes = {n: {str(v) for v in a.values()} for n, a in entities.items()}
    for subject in _payload(run)["subject"]:
        assert hashes[f"run:{subject['name']}"] == {subject["digest"]["sha256"]}, "PROV and statement agree"
    used = {str(u.args[1]) for u in document.get_records(prov.model.ProvUsage)}
    assert used == {"contrechamp:source", "contrechamp:constraints.txt", "run:plan.json"}
    made = {str(g.args[0]) for g in document.get_records(prov.model.ProvGeneration)}
    assert made | used == set(entities)
    assert not made & used


def test_a_plan_that_is_not_the_one_of_the_results_is_found_under_a_good_seal(run: Path, tmp_path: Path) -> None:
    for other in (
        {"sha256": digest(PLAN), "plan": {**PLAN, "seed": 4}},
        {"sha256": digest({}), "plan": {}},
        {"x": 1},
        {},
    ):
        write_json(run / "plan.json", other)
        evidence.seal(run, key_file=tmp_path / "keys" / "key.pem")
        assert said(run) == ["plan.json: is not the plan of the results"]


@pytest.mark.parametrize("forgery", ["seed", "subject", "unsigned", "other key", "type", "absent", "empty"])
def test_a_statement_that_lies_is_found_even_under_a_good_seal(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgery: str
) -> None:
    true = attestation.statement

    def lie(*args: Any, **more: Any) -> dict[str, Any]:
        body = true(*args, **more)
        if forgery == "seed":
            body["predicate"]["buildDefinition"]["externalParameters"]["seed"] = 4
        elif forgery == "subject":
            body["subject"][0]["digest"]["sha256"] = "0" * 64
        elif forgery == "type":
            body["_type"] = "x"
        elif forgery == "empty":
            body["subject"] = []
        return body

    def sealed(body: Any, *, sign: Any, keyid: str) -> bytes:
        if forgery == "other key":
            sign = keys.signing_key(tmp_path / "other.pem").sign
        elif forgery == "unsigned":
            sign = lambda data: b"\0" * 64  # noqa: E731
        return envelope(body, sign=sign, keyid=keyid)

    envelope = attestation.envelope
    monkeypatch.setattr(attestation, "statement", lie)
    monkeypatch.setattr(attestation, "envelope", sealed)
    if forgery == "absent":
        (run / verifier.STATEMENT).unlink()
        monkeypatch.setattr(evidence, "_attest", lambda *a: None)
    evidence.seal(run, key_file=tmp_path / "keys" / "key.pem")
    assert [line for line in said(run) if line.startswith(verifier.STATEMENT)]


def test_the_time_request_is_the_one_openssl_makes_and_a_token_is_held_to_it(run: Path) -> None:
    # `openssl ts -query -sha256 -cert -no_nonce` of the bytes b"a signature"
    request = "303902010130313" + "00d060960864801650304020105000420" + STAMPED.hex() + "0101ff"
    assert verifier.timestamp_request(b"a signature").hex() == request
    assert verifier.read_token(TOKEN) == (STAMPED, "2026-11-22 10:56:47 UTC")
    signature = hashlib.sha256((run / evidence.SIGNATURE).read_bytes()).digest()
    (run / verifier.TOKEN).write_bytes(TOKEN)
    assert said(run) == ["timestamp.tsr: stamps something else than manifest.sig.json"]
    (run / verifier.TOKEN).write_bytes(TOKEN.replace(STAMPED, signature))  # only openssl would see this forgery
    assert said(run) == []
    assert evidence.check(run).stamped == "2026-11-22 10:56:47 UTC"
    page = verifier.statement(verifier.inspect(run), pinned=False, program="")
    assert page.count("2026-11-22 10:56:47 UTC") == page.count("openssl ts -verify") == 2
    (run / verifier.REQUEST).write_bytes(b"x")
    assert said(run) == ["timestamp.tsq: is not the request made of manifest.sig.json"]
    (run / verifier.REQUEST).unlink()
    assert said(run) == ["timestamp.tsq: missing"]


def test_any_damage_of_a_token_gives_a_fault_or_the_same_imprint_never_an_error() -> None:
    for position in range(len(TOKEN)):
        for bit in (0, 7):
            damaged = TOKEN[:position] + bytes([TOKEN[position] ^ 1 << bit]) + TOKEN[position + 1 :]
            try:
                verifier.read_token(damaged)
            except ValueError:
                continue
    for end in range(len(TOKEN)):
        with pytest.raises(ValueError):
            verifier.read_token(TOKEN[:end])


# --- archives and folders meant to harm ----------------------------------------------------------------------------


def pack(run: Path, kind: str, top: str = "") -> Path:
    path = run.parent / f"run.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(run.rglob("*")):
                archive.write(file, top + file.relative_to(run).as_posix())
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as archive:
            for file in sorted(run.rglob("*")):
                archive.add(file, top + file.relative_to(run).as_posix(), recursive=False)
    return path


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize("top", ["", "r/", "./"])
def test_an_archive_is_checked_without_being_unpacked(run: Path, kind: str, top: str) -> None:
    if kind == "zip" and top == "./":
        top = ""
    before = sorted(p.name for p in run.parent.iterdir())
    path = pack(run, kind, top)
    assert said(path) == []
    assert evidence.check(path).records == 10
    assert evidence.check(path).published_verifier
    table = run / "tables" / "t.parquet"
    table.write_bytes(bytes(256))
    path = pack(run, kind, top)
    assert said(path) == ["tables/t.parquet: content changed (SHA-256 or size differs from the manifest)"]
    with pytest.raises(IntegrityError, match=r"t\.parquet"):
        evidence.require_intact(path)
    assert sorted(p.name for p in run.parent.iterdir()) == sorted([*before, path.name]), "nothing is written"


NAMES = ["../x", "/etc/x", "a/../../x", "..\\x", "C:/x", "a//b", "a/./b", "x\0y", "d/" * 70 + "x"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_name_that_leaves_the_folder_is_refused(run: Path, kind: str, name: str) -> None:
    path = pack(run, kind)
    if kind == "zip":
        with zipfile.ZipFile(path, "a") as archive:
            item = zipfile.ZipInfo("placeholder")
            item.filename = name
            archive.writestr(item, b"x")
    else:
        if "\0" in name:
            pytest.skip("a tar header ends at the first zero")
        with tarfile.open(path, "a") as archive:
            member = tarfile.TarInfo(name)
            member.size = 1
            archive.addfile(member, io.BytesIO(b"x"))
    (fault,) = verifier.inspect(path).faults
    assert fault.en.startswith("refused: the name")
    with pytest.raises(ContractError, match="refused unread"):
        evidence.check(path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_named(run: Path, kind: bytes) -> None:
    path = pack(run, "tar")
    with tarfile.open(path, "a") as archive:
        member = tarfile.TarInfo("tables/odd")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    assert said(path) == ["tables/odd: a link or a special file, whose content no signature can cover"]


def test_a_link_an_encrypted_or_a_double_name_in_a_zip(run: Path) -> None:
    path = pack(run, "zip")
    with zipfile.ZipFile(path, "a") as archive:
        item = zipfile.ZipInfo("tables/odd")
        item.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(item, "/etc/passwd")
    assert said(path) == ["tables/odd: a link or a special file, whose content no signature can cover"]
    path = pack(run, "zip")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("results.json", "{}")
    assert "twice" in verifier.inspect(path).faults[0].en
    path = pack(run, "zip")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(bytes(data))
    assert "encrypted" in verifier.inspect(path).faults[0].en
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("manifest.json", "{}")
    assert "odd" in verifier.inspect(path).faults[0].en


def test_archives_that_swell_are_refused(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b"\0" * (1 << 20))
    data = bytearray(bomb.read_bytes())
    where = data.index(b"PK\1\2") + 24
    data[where : where + 4] = (0xFFFFFFF0).to_bytes(4, "little")  # announces 4 GB
    bomb.write_bytes(bytes(data))
    monkeypatch.setattr(verifier, "MAX_ARCHIVE", 2 << 30)
    assert "absurd sizes" in verifier.inspect(bomb).faults[0].en
    header = tarfile.TarInfo("manifest.json")
    header.size = 1 << 40
    bomb = tmp_path / "bomb.tar.gz"
    bomb.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT)))
    assert "absurd sizes" in verifier.inspect(bomb).faults[0].en
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 1 << 30  # an extended header of 1 GB, which tarfile would read whole
    bomb.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20)))
    assert "absurd sizes" in verifier.inspect(bomb).faults[0].en
    monkeypatch.setattr(verifier, "MAX_FILES", 8)
    assert "more than 8 files" in verifier.inspect(pack(run, "tar")).faults[0].en
    with pytest.raises(ContractError, match="more than 8 files"):
        evidence.check(run)


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\5\6" + bytes(18), b"PK\3\4" + bytes(100), b"\x1f\x8b", b"x" * 5000])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    assert verifier.inspect(path).faults
    with pytest.raises(ContractError):
        evidence.check(path)


def test_an_archive_cut_anywhere_is_a_fault_and_never_an_error(run: Path) -> None:
    for kind in ("zip", "tar", "tar.gz"):
        data = pack(run, kind).read_bytes().rstrip(b"\0")  # a tar ends in zeros that nobody needs
        path = run.parent / "cut"
        for share in range(0, 100, 3):
            path.write_bytes(data[: len(data) * share // 100])
            assert verifier.inspect(path).faults, (kind, share)


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "deep", "token", "control"])
def test_a_folder_meant_to_harm(run: Path, tmp_path: Path, kind: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    if kind == "link":
        (run / "x").symlink_to(outside / "secret")
    elif kind == "folder":
        (run / "x").symlink_to(outside)
    elif kind == "pipe":
        os.mkfifo(run / "x")
    elif kind == "deep":
        (run / "/".join(["d"] * 70)).mkdir(parents=True)
        assert "too deep" in verifier.inspect(run).faults[0].en
        (run / "/".join(["d"] * 70) / "f").write_text("")
        with pytest.raises(ContractError, match="deeper than 64"):
            evidence.check(run)
        return
    elif kind == "token":
        (run / verifier.TOKEN).symlink_to(outside / "secret")
    else:
        (run / evidence.MANIFEST).unlink()
        os.mkfifo(run / evidence.MANIFEST)
    lines = said(run)
    assert not any("secret" in line for line in lines), "links are not followed"
    assert any("a link or a special file" in line for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000, '{"files": {"../../x": 1}, "schema": "contrechamp/manifest/2"}', '{"files": 3}', "9" * 5000,
        '{"files": {}, "files": {}}', '{"files": [[1, 2]]}', '{"files": {"results.json": null}}', "1e999", "\ud800",
        '{"files": {"x": {"bytes": 1e400, "sha256": 1}}, "schema": "contrechamp/manifest/2", "chain": 7}',
    ],
)  # fmt: skip
def test_nonsense_signed_by_a_forger_gives_faults_never_an_error(run: Path, tmp_path: Path, text: str) -> None:
    manifest = text.encode("utf-8", "surrogatepass")
    key = keys.signing_key(tmp_path / "forger.pem")
    mark = {"algorithm": "ed25519", "signs": "manifest.json", "fingerprint": keys.fingerprint(key),
            "public_key": base64.b64encode(keys.public_bytes(key)).decode(),
            "signature": base64.b64encode(key.sign(manifest)).decode()}  # fmt: skip
    (run / evidence.MANIFEST).write_bytes(manifest)
    (run / evidence.SIGNATURE).write_bytes(verifier.pretty(mark))
    lines = said(run)
    assert lines
    assert not any(line.startswith("manifest.json: does not match") for line in lines), "it is well signed"
    for name in verifier.READ:
        if (run / name).is_file():
            (run / name).write_bytes(manifest)
    assert said(run)


def test_sizes_announced_by_a_manifest_are_bounded(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_LARGEST_RUN", 1000)
    with pytest.raises(ContractError, match="absurd sizes"):
        evidence.check(run)
    with (run / "sparse").open("wb") as file:
        file.truncate(verifier.MAX_FOLDER + 1)
    assert "absurd sizes" in verifier.inspect(run).faults[0].en


# --- what is said --------------------------------------------------------------------------------------------------


def test_both_languages_say_the_same_figures_and_names_write_on_nobody_s_terminal(run: Path) -> None:
    import re

    page = verifier.statement(verifier.inspect(run), pinned=True, program="f" * 64)
    french, english = page.split("CHECK OF AN AUDIT FOLDER")
    assert re.findall(r"[0-9a-f]{40,}|\b\d+\b", french) == re.findall(r"[0-9a-f]{40,}|\b\d+\b", english)
    for text, words in ((french, "Ce que cela ne montre pas"), (english, "What it does not show")):
        assert words in text
        assert "--fingerprint" in text
    assert "C’est la clef attendue" in french
    assert "It is the key expected" in english
    (run / "x\n INTACT\x1b[2J").write_text("")
    page = verifier.statement(verifier.inspect(run), pinned=False, program="")
    assert all(line.isprintable() for line in page.splitlines())
    assert "ALTÉRÉ" in page
    assert "ALTERED" in page
    for n in range(200):
        (run / f"extra{n}").write_text("")
    page = verifier.statement(verifier.inspect(run), pinned=False, program="")
    assert "et 151 autres" in page
    assert "and 151 more" in page


def test_the_exit_code_and_the_fingerprint_asked_for(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = verifier.inspect(run).fingerprint
    assert verifier.main([str(run), "--fingerprint", own.upper()]) == 0
    assert verifier.main([str(run), "--fingerprint", "0" * 64]) == 12
    assert verifier.main([str(run), "--key", ""]) == 12, "`--key $UNSET` must not accept any key"
    assert verifier.main([str(run / "nowhere")]) == 12
    with pytest.raises(SystemExit) as usage:
        verifier.main(["a", "b"])
    assert usage.value.code == 2
    assert own in capsys.readouterr().out
