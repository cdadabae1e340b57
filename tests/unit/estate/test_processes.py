"""Servers that outlive the command that started them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ringgate.estate.errors import EstateError
from ringgate.estate.processes import Daemon, same_process, write_atomically
from tests.unit.estate.support import SLEEP


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    return Daemon("sleeper", tmp_path / "run" / "sleeper.pid", tmp_path / "logs" / "sleeper.log")


def test_a_server_is_found_again_and_stopped(daemon: Daemon, tmp_path: Path) -> None:
    assert not daemon.running
    daemon.start(SLEEP, dict(os.environ), tmp_path)
    assert Daemon(daemon.name, daemon.pid_file, daemon.log).running
    daemon.stop()
    assert not daemon.running
    assert not daemon.pid_file.exists()


def test_another_process_with_the_same_number_is_not_ours(daemon: Daemon, tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEP)
    try:
        write_atomically(daemon.pid_file, f'{{"pid": {stranger.pid}, "started": 12345.0}}')
        assert not daemon.running
        daemon.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"pid": "x", "started": 1}', "4711"])
def test_a_damaged_pid_file_is_no_process(daemon: Daemon, content: str) -> None:
    write_atomically(daemon.pid_file, content)
    assert not daemon.running


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(daemon: Daemon, tmp_path: Path) -> None:
    daemon.start([sys.executable, "-c", "print('no such luck')"], dict(os.environ), tmp_path)
    with pytest.raises(EstateError, match="no such luck"):
        daemon.await_ready(lambda: False, within=20)


def test_a_process_is_known_by_its_start() -> None:
    me = psutil.Process()
    assert same_process(me.pid, me.create_time()) is not None
    assert same_process(me.pid, me.create_time() - 60) is None
