"""The bootstrap: which Python it takes, what it skips, and what it says when the machine lacks something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ringgate import bootstrap

SCRIPT = Path(bootstrap.__file__)


def fake_python(folder: Path, name: str, answer: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{answer}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one empty folder, and a starting Python that is too old."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    old = fake_python(tmp_path / "old", "python3", "echo 3 9 2 final")
    monkeypatch.setattr(sys, "executable", str(old))
    return tmp_path / "bin"


def test_the_newest_python_that_starts_is_taken(machine: Path) -> None:
    fake_python(machine, "python3.14", "echo 'pyenv: python3.14: command not found' >&2; exit 127")
    fake_python(machine, "python3.13", "echo 3 13 0 candidate")
    right = fake_python(machine, "python3.12", "echo 3 12 4 final")
    fake_python(machine, "python3.11", "echo 3 11 9 final")
    fake_python(machine, "python3", "echo 3 15 0 final")
    assert bootstrap.pick_python() == (str(right), "3.12.4")


def test_without_a_fitting_python_it_says_what_to_install(machine: Path) -> None:
    fake_python(machine, "python3", "echo 3 10 1 final")
    with pytest.raises(bootstrap.SetUpError) as caught:
        bootstrap.pick_python()
    assert str(caught.value).startswith("Python 3.11 to 3.14 is needed and PATH has only 3.10.1, 3.9.2. Install one")


def test_our_own_environment_is_never_its_own_base(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "VENV", machine.parent / "venv")
    fake_python(machine.parent / "venv", "python3.12", "echo 3 12 4 final")
    monkeypatch.setenv("PATH", str(machine.parent / "venv"))
    with pytest.raises(bootstrap.SetUpError):
        bootstrap.pick_python()


def test_uv_is_pinned_with_its_hashes() -> None:
    lines = bootstrap.lines_of("uv").splitlines()
    assert lines[0].startswith("uv==")
    assert all("--hash=sha256:" in line for line in lines[1:])
    assert len(lines) > 1


def test_a_failed_command_is_one_sentence_and_the_rest_goes_to_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr(bootstrap, "LOG", tmp_path / "bootstrap.log")
    script = "import sys; print('a lot'); print('error: No space left on device (os error 28)'); sys.exit(2)"
    with pytest.raises(bootstrap.SetUpError) as caught:
        bootstrap.run([sys.executable, "-c", script], "The packages could not be installed")
    assert str(caught.value) == (
        "The packages could not be installed: error: No space left on device (os error 28). "
        "Check network and disk, then start again (log: .venv/bootstrap.log)."
    )
    assert "a lot" in (tmp_path / "bootstrap.log").read_text()


def test_a_second_start_skips_everything() -> None:
    if not bootstrap.stamp_is_current():
        pytest.skip("this environment was not made by the bootstrap, or its lock is newer")
    done = subprocess.run([sys.executable, "-I", str(SCRIPT)], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_it_starts_in_isolation_so_that_our_names_hide_nothing() -> None:
    makefile = (bootstrap.ROOT / "Makefile").read_text()
    assert "-I ringgate/bootstrap.py" in makefile
