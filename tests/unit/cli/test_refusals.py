"""What the machine, the terminal or a damaged run may do to a command: one paragraph, a code, no traceback."""

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contrechamp.audit.steps import load_results
from contrechamp.cli import main
from contrechamp.cli._common import parse_sets, say
from contrechamp.domain.errors import ContractError, ParameterError

PROGRAM = Path(sys.executable).with_name("contrechamp")


def run_main(monkeypatch: pytest.MonkeyPatch, raised: BaseException) -> int:
    def app() -> None:
        raise raised

    monkeypatch.setattr("contrechamp.cli.app.app", app)
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_machine_that_refuses_is_no_bug_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    assert run_main(monkeypatch, OSError(number, os.strerror(number), "/full/results.json")) == 13
    said = capsys.readouterr().err
    assert os.strerror(number) in said
    assert "/full/results.json" in said
    assert len(said.splitlines()) == 1


def test_another_error_of_the_system_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def app() -> None:
        raise OSError(errno.ENOENT, "No such file", "x")

    monkeypatch.setattr("contrechamp.cli.app.app", app)
    with pytest.raises(FileNotFoundError):
        main()


def test_what_is_said_to_people_never_goes_to_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)  # `2>&-`
    say("bonjour")
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_a_terminal_without_accents_gets_escapes_and_a_full_one_a_paragraph() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([PROGRAM, "claims", "show", "C12"], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"\\xab" in done.stdout  # «
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([PROGRAM, "claims", "list"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (13, 1), done.stderr


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "5",
        '{"results": [], "verdicts": 5}',
        '{"results": [], "verdicts": [5]}',
        '{"results": [], "verdicts": [{"claim": "C12", "verdict": "maybe"}]}',
        '{"results": {}, "verdicts": []}',
        '{"results": [], "verdicts": [{"claim": ["C12"], "verdict": "refuted"}]}',
        "[" * 100_000,
    ],
)
def test_results_of_another_shape_are_one_paragraph(tmp_path: Path, body: str) -> None:
    (tmp_path / "results.json").write_text(body)
    with pytest.raises(ContractError, match=r"results\.json"):
        load_results(tmp_path)


@pytest.mark.parametrize("pair", ["", "=", "=3", "  =3", "name"])
def test_an_override_needs_a_name_and_a_value(pair: str) -> None:
    with pytest.raises(ParameterError, match="name=value"):
        parse_sets([pair])


def test_an_override_keeps_what_follows_the_first_equals_sign() -> None:
    assert parse_sets(["a=b=c", "n = 3", "n=4", "e="]) == {"a": "b=c", "n": "4", "e": ""}


def test_lines_on_stdout_are_flushed_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device", "stdout")

    def app() -> None:
        print(json.dumps({}))

    monkeypatch.setattr("contrechamp.cli.app.app", app)
    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 13


def test_ctrl_c_inside_a_command_is_one_line_and_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(key: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("models.load_predictor", stopped)
    monkeypatch.setattr("sys.argv", ["contrechamp", "hotspot", "list"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    said = capsys.readouterr().err
    assert said.startswith("contrechamp: interrompu")
    assert len(said.splitlines()) == 1


def test_an_experiment_prints_its_results_by_world_within_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from contrechamp.cli.app import app

    app(["experiment", "run", "E28", "--reps", "50", "--set", "looks=1,13", "--jobs", "1"], standalone_mode=False)
    said = capsys.readouterr().out
    worlds = said.split("\n\n")
    assert len(worlds) >= 2
    for world in worlds:
        lines = world.splitlines()
        assert lines[0].startswith("monde (world) : ")
        assert lines[1].split() == ["mesure", "valeur", "95", "%", "n", "méthode"]
        assert len(lines) >= 3
    assert max(map(len, said.splitlines())) <= 100


@pytest.mark.parametrize("experiment", ["E03", "E04", "E20", "E25"])
def test_what_show_prints_can_be_given_back_to_set(experiment: str, capsys: pytest.CaptureFixture[str]) -> None:
    from contrechamp.cli.app import app
    from contrechamp.experiments.base import parameters

    app(["experiment", "show", experiment], standalone_mode=False)
    lines = capsys.readouterr().out.splitlines()
    pairs = [line.removeprefix("  --set ") for line in lines if line.startswith("  --set ")]
    shown = {name: value for name, value in parse_sets(pairs).items() if value}
    assert len(shown) >= 5
    assert parameters(experiment, overrides=shown) == parameters(experiment)
