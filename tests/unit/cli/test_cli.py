"""The command line frame: help, exit codes, one sentence for each mistake, never a traceback or a secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.main import get_group

from ringgate import cli
from ringgate.cli.common import Exit, exit_code_of
from ringgate.domain.errors import NoRoute, RinggateError, SecretMissing, SignInRefused
from ringgate.host.secrets import hide
from ringgate.inventory import InventoryError, SelectionError


def ringgate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command line."""
    code = cli.run(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_shows_the_commands_and_the_exit_codes(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, out, err = ringgate(capsys, *arguments)
    assert (code, err) == (Exit.OK, "")
    for word in (
        "tenants",
        "estate",
        "demo",
        "rehearse",
        "suites",
        "recover",
        "report",
        "Exit codes:",
        "RINGGATE_INVENTORY",
    ):
        assert word in out


@pytest.mark.parametrize("command", [["tenants"], ["estate"], ["estate", "up"], ["estate", "fault", "on"]])
def test_each_command_tells_its_use_by_either_option(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    short, long = (ringgate(capsys, *command, option) for option in ("-h", "--help"))
    assert short == long
    assert (short[0], short[2]) == (Exit.OK, "")
    assert short[1].startswith(f"Usage: ringgate {' '.join(command)}")


def test_help_imports_nothing_heavy() -> None:
    heavy = "pydantic, playwright, httpx, sqlalchemy, pytest, hypothesis, faker, psycopg"
    check = f"import sys, ringgate.cli; print([m for m in '{heavy}'.split(', ') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_command_line_makes_the_command_that_it_names_alone() -> None:
    whole = get_group(cli.app).commands
    for name, command in whole.items():
        (alone,) = get_group(cli.narrowed([name])).commands.values()
        assert (alone.name, alone.help, len(alone.params)) == (name, command.help, len(command.params))
    for names in ([], ["--version"], ["tenats"]):
        assert cli.narrowed(names) is cli.app


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ringgate(capsys, "--version")
    assert code == Exit.OK
    assert out.startswith("ringgate 0.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["tenats"], "No such command 'tenats'. Did you mean 'tenants'? See `ringgate --help`."),
        (["tenants", "shw"], "No such command 'shw'. Did you mean"),
        (["tenants", "show"], "Missing argument 'ID'. See `ringgate tenants show --help`."),
        (["tenants", "list", "--rng", "x"], "No such option: --rng"),
        (["demo", "--tenants", "99"], "See `ringgate demo --help`."),
        (["estate", "sideways"], "No such command 'sideways'. See `ringgate estate --help`."),
    ],
)
def test_wrong_use_is_one_sentence_and_3(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    code, out, err = ringgate(capsys, *arguments)
    assert (code, out) == (Exit.USAGE, "")
    assert err.startswith("ringgate: ")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InventoryError([]), 3),
        (SelectionError("none"), 3),
        (RinggateError("anything"), 3),
        (SecretMissing("gone"), 2),
        (NoRoute("nowhere"), 2),
        (SignInRefused("no"), 1),
    ],
)
def test_an_errors_class_decides_the_exit_code(error: Exception, code: int) -> None:
    assert exit_code_of(error) == code


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> dict[str, BaseException]:
    """Makes the command line a single command that raises what is put under "error"."""
    box: dict[str, BaseException] = {}

    def fail() -> None:
        raise box["error"]

    app = typer.Typer()
    app.command()(fail)
    monkeypatch.setattr(cli, "app", app)
    return box


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (SecretMissing("the secret X is not set"), 2, "ringgate: the secret X is not set\n"),
        (PermissionError(13, "Permission denied", "/x"), 2, "/x"),
        (ZeroDivisionError("division by zero"), 2, "a mistake of Ringgate's own; please report it"),
        (KeyboardInterrupt(), 130, "stopped"),
        (ValueError("cannot parse hunter22-secret"), 2, "cannot parse ***"),
    ],
)
def test_no_error_leaves_as_a_traceback_or_with_a_secret(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    failing: dict[str, BaseException],
    error: BaseException,
    code: int,
    text: str,
) -> None:
    monkeypatch.delenv("RINGGATE_DEBUG", raising=False)
    hide("hunter22-secret")
    failing["error"] = error
    assert cli.run([]) == code
    _, err = capsys.readouterr()
    assert text in err
    assert "Traceback" not in err
    assert "hunter22" not in err


def test_debug_shows_where_a_mistake_of_our_own_is(
    monkeypatch: pytest.MonkeyPatch, failing: dict[str, BaseException]
) -> None:
    monkeypatch.setenv("RINGGATE_DEBUG", "1")
    failing["error"] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        cli.run([])


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    shell = f"{sys.executable} -m ringgate.cli tenants keys | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("key ")


def test_a_report_without_results_says_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path))
    monkeypatch.delenv("RINGGATE_RESULTS", raising=False)
    code, _, err = ringgate(capsys, "report")
    assert code == Exit.USAGE
    assert err == "ringgate: there are no results yet: run `pytest suites` first\n"
