"""A real sealed run in the hands of the other side: a thousand flipped bytes, other tampering, and a stranger."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from contrechamp.audit import evidence, keys, steps, verifier
from contrechamp.domain.errors import IntegrityError, ParameterError
from contrechamp.store import runs

FLIPS = 1000


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one cheap experiment with its French report, as `contrechamp audit --claim C12` makes it."""
    root = tmp_path_factory.mktemp("sealed")
    work = steps.begin(
        root, run_id="r", started_at="2026-01-01T00:00:00+00:00", claims=("C12",), seed=3, allow_deviation=True
    )
    for step in (steps.generate, steps.ingest, steps.backtest, steps.experiments, steps.decide):
        step(work)
    steps.report(work, langs=("fr",))
    environment = {"commit": "ab" * 20, "dirty": False, "constraints_sha256": "cd" * 32, "python": "3.11"}
    return steps.seal(work, environment=environment, key_file=root / "key.pem")


@pytest.fixture
def run(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "run"))


def found_by(run: Path, fingerprint: str | None = None) -> list[list[str]]:
    """What the package finds, and what the stand-alone program finds."""
    package = list(evidence.check(run, fingerprint=fingerprint).problems)
    return [package, [f"{fault.name}: {fault.en}" for fault in verifier.inspect(run, fingerprint).faults]]


def names(lines: list[str]) -> set[str]:
    return {line.split(": ", 1)[0] for line in lines}


@pytest.mark.slow
def test_a_thousand_flipped_bytes_are_found_by_both_and_their_file_named(run: Path) -> None:
    assert found_by(run) == [[], []]
    files = sorted(p for p in run.rglob("*") if p.is_file())
    assert {"manifest.json", "manifest.sig.json", "verify.py", "timestamp.tsq", "report.fr.pdf"} <= {
        p.name for p in files
    }
    draw, flipped = random.Random(20260130), Counter[str]()
    for turn in range(FLIPS):
        path = files[turn % len(files)] if turn < 600 else draw.choice(files)  # every file many times, small ones too
        name, original = path.relative_to(run).as_posix(), path.read_bytes()
        where = draw.randrange(len(original))
        damaged = bytearray(original)
        damaged[where] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        for lines in found_by(run):
            assert name in names(lines), (name, where, lines)
            if name == "results.json" and _inside_a_record(original, where):
                assert any("records" in line for line in lines), (where, lines)
        path.write_bytes(original)
        flipped[name] += 1
    assert min(flipped.values()) >= 20
    assert found_by(run) == [[], []]


def _inside_a_record(data: bytes, where: int) -> bool:
    """Whether a byte belongs to a value of a result or a verdict: not the layout around them."""
    records = re.finditer(rb"^  \{\n.*?^  \}", data, re.DOTALL | re.MULTILINE)
    return any(m.start() + 4 < where < m.end() - 4 and not data[where : where + 1].isspace() for m in records)


def _swap(run: Path) -> None:
    a, b = run / "tables" / "E18_sets.parquet", run / "tables" / "E18_worked.parquet"
    left, right = a.read_bytes(), b.read_bytes()
    a.write_bytes(right)
    b.write_bytes(left)


def _cut(run: Path) -> None:
    path = run / "report.fr.pdf"
    path.write_bytes(path.read_bytes()[:-1])


def _grow(run: Path) -> None:
    with (run / "plan.json").open("ab") as file:
        file.write(b"\n")


def _reorder(run: Path) -> None:
    body = runs.read_json(run / "results.json")
    body["results"][4:6] = body["results"][5:3:-1]
    runs.write_json(run / "results.json", body)


def _signature_of_another(run: Path) -> None:
    forged = Path(shutil.copytree(run, run.parent / "forged"))
    evidence.seal(forged, key_file=run.parent / "forger.pem")
    shutil.copy(forged / "manifest.sig.json", run / "manifest.sig.json")


def _key_of_another(run: Path) -> None:
    body = runs.read_json(run / "manifest.sig.json")
    _signature_of_another(run)
    other = runs.read_json(run / "manifest.sig.json")
    mixed = {**body, "public_key": other["public_key"], "fingerprint": other["fingerprint"]}
    (run / "manifest.sig.json").write_bytes(verifier.pretty(mixed))


@pytest.mark.parametrize(
    ("act", "named"),
    [
        (lambda run: (run / "verify.py").unlink(), "verify.py"),
        (lambda run: (run / "manifest.json").unlink(), "manifest.json"),
        (lambda run: (run / "manifest.sig.json").unlink(), "manifest.sig.json"),
        (lambda run: (run / "timestamp.tsq").unlink(), "timestamp.tsq"),
        (lambda run: (run / "chain.txt").unlink(), "chain.txt"),
        (lambda run: (run / "statement.dsse.json").unlink(), "statement.dsse.json"),
        (lambda run: (run / "json.py").write_text("raise SystemExit(0)"), "json.py"),
        (lambda run: (run / "plan.json").rename(run / "plan2.json"), "plan2.json"),
        (lambda run: (run / "tables").rename(run / "Tables"), "Tables/E18_sets.parquet"),
        (_swap, "tables/E18_sets.parquet"),
        (_cut, "report.fr.pdf"),
        (_grow, "plan.json"),
        (_reorder, "results.json"),
        (_signature_of_another, "manifest.sig.json"),
        (_key_of_another, "manifest.sig.json"),
    ],
)
def test_deleting_adding_renaming_reordering_resigning(run: Path, act: Callable[[Path], object], named: str) -> None:
    act(run)
    for lines in found_by(run):
        assert named in names(lines), lines
    if act is _reorder:
        assert all("results.json: order changed from R-0005 on" in lines for lines in found_by(run))


def test_a_forgery_signed_whole_by_another_key_shows_in_the_fingerprint_alone(run: Path) -> None:
    true = evidence.check(run).fingerprint
    body = runs.read_json(run / "results.json")
    body["results"][0]["value"] = 0.123
    body["digest"] = verifier.results_digest(body)
    runs.write_json(run / "results.json", body)
    record = runs.read_json(run / "run.json")
    runs.write_json(run / "run.json", {**record, "results_digest": body["digest"]})
    evidence.seal(run, key_file=run.parent / "forger.pem")
    assert found_by(run) == [[], []], "nothing else tells them apart, and the pages say so"
    for lines in found_by(run, true):
        assert names(lines) == {"manifest.sig.json"}
    with pytest.raises(IntegrityError, match="not by " + true):
        evidence.require_intact(run, fingerprint=true)
    assert found_by(run, keys.fingerprint(keys.signing_key(run.parent / "forger.pem"))) == [[], []]


def stranger(folder: Path, *arguments: str, isolated: bool = True) -> subprocess.CompletedProcess[str]:
    """Python alone: another interpreter where there is one, no site packages, an empty environment."""
    system = Path("/usr/bin/python3")
    python = str(system) if system.exists() else sys.executable
    flags = ["-I", "-S"] if isolated else ["-S"]
    environment = {} if isolated else {"PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [python, *flags, "verify.py", *arguments], cwd=folder, env=environment,
        capture_output=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip


def test_a_stranger_with_the_folder_and_python_gets_a_statement_in_both_languages(run: Path) -> None:
    fingerprint = evidence.check(run).fingerprint
    before = {p: p.stat().st_mtime_ns for p in run.rglob("*")}
    done = stranger(run)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.index("INTACT") < done.stdout.index("CHECK OF AN AUDIT FOLDER: INTACT")
    assert done.stdout.count(fingerprint) == 2
    for words in ("Ce que cela ne montre pas", "What it does not show", "Elle n’a été comparée à rien", "--claim C12"):
        assert words in done.stdout
    assert stranger(run, "--fingerprint", fingerprint).returncode == 0
    assert stranger(run, "--fingerprint", "0" * 64).returncode == 12
    assert {p: p.stat().st_mtime_ns for p in run.rglob("*")} == before, "it writes nothing"
    table = run / "tables" / "E18_sets.parquet"
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 1
    table.write_bytes(data)
    done = stranger(run)
    assert (done.returncode, done.stderr) == (12, "")
    assert "tables/E18_sets.parquet : contenu changé" in done.stdout
    assert "tables/E18_sets.parquet: content changed" in done.stdout


def test_the_folder_lends_the_program_no_module_of_its_own(run: Path) -> None:
    for name in ("json", "hashlib", "argparse", "base64", "os", "typing"):
        (run / f"{name}.py").write_text("print('INTACT'); raise SystemExit(0)")
    for isolated in (True, False):
        done = stranger(run, isolated=isolated)
        assert done.returncode == 12, "even without -I"
        assert "hashlib.py : absent du manifeste" in done.stdout
    assert not list(run.rglob("__pycache__"))


def test_every_python_from_3_8_that_is_here_can_run_it(run: Path) -> None:
    homes = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    homes += list(Path.home().glob(".pyenv/versions/*/bin"))
    found = {v: home / f"python3.{v}" for v in range(8, 16) for home in homes if (home / f"python3.{v}").is_file()}
    ran = 0
    for version, python in sorted(found.items()):
        done = subprocess.run(
            [python, "-I", "-S", "verify.py"], cwd=run, capture_output=True, text=True, timeout=60, check=False
        )
        if "pyenv:" in done.stderr:  # a stand-in for a version that is not installed
            continue
        assert done.returncode == 0, (version, done.stderr)
        ran += 1
    assert ran >= 1


def test_the_command_takes_an_archive_and_a_fingerprint_and_replays_folders_only(run: Path) -> None:
    from typer.testing import CliRunner

    from contrechamp.cli.app import app

    packed = shutil.make_archive(str(run.parent / "sent"), "zip", run.parent, run.name)
    fingerprint = evidence.check(run).fingerprint
    for given in (str(run), packed):
        done = CliRunner().invoke(app, ["verify", given, "--fingerprint", fingerprint, "--json"])
        assert done.exit_code == 0, done.exception
        found = json.loads(done.stdout)
        assert (found["key"], found["key_expected"], found["published_verifier"]) == (fingerprint, True, True)
        assert found["records"] == len((run / "chain.txt").read_text().splitlines())
    assert isinstance(CliRunner().invoke(app, ["verify", packed, "--replay"]).exception, ParameterError)
    assert isinstance(CliRunner().invoke(app, ["verify", packed, "--key", "0" * 64]).exception, IntegrityError)
    (run / "verify.py").write_text("print('INTACT')")
    evidence.seal(run, key_file=run.parent / "forger.pem")
    assert evidence.check(run).published_verifier, "sealing puts the published program back"
    (run / "verify.py").write_text("print('INTACT')")
    assert names(list(evidence.check(run).problems)) == {"verify.py"}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the page's commands need openssl")
def test_the_commands_of_the_page_on_evidence_do_what_it_says(run: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "preuves.md").read_text()
    key = run.parent / "signing-key.pem"
    evidence.seal(run, key_file=key)
    shutil.copy(key, run.parent / "ancienne-clef.pem")
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    (show,) = [b for b in blocks if "openssl pkey " in b]
    said = subprocess.run(["sh", "-c", show], cwd=run.parent, capture_output=True, text=True, check=True).stdout
    assert said.split()[-1] == evidence.check(run).fingerprint
    (rotate,) = [b for b in blocks if "pkeyutl" in b]
    subprocess.run(["sh", "-ec", rotate], cwd=run.parent, check=True, capture_output=True)
    notice, mark = (run.parent / "avis.txt").read_bytes(), (run.parent / "avis.sig").read_bytes()
    assert verifier.verify_ed25519(keys.public_bytes(keys.signing_key(key)), notice, mark)
    (stamp,) = [b for b in blocks if "openssl ts" in b]
    assert verifier.REQUEST in stamp
    query = ["openssl", "ts", "-query", "-data", str(run / evidence.SIGNATURE), "-sha256", "-cert", "-no_nonce"]
    made = subprocess.run(query, capture_output=True, check=True).stdout
    assert made == (run / verifier.REQUEST).read_bytes(), "the request is the one that openssl makes"
    assert not keys.exposed(key)
    key.chmod(0o644)
    assert keys.exposed(key)
