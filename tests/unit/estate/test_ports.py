"""Ports that somebody has taken."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from ringgate.estate import ports
from ringgate.estate.errors import EstateError
from ringgate.estate.processes import Daemon, free_port


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    return Daemon("sleeper", tmp_path / "run" / "sleeper.pid", tmp_path / "logs" / "sleeper.log")


def test_a_taken_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(EstateError, match=rf"Port {port} is taken.*--port-base \d+"):
            ports.check([port], tmp_path, 8070)
    ports.check([free_port()], tmp_path, 8070)


def test_a_port_held_by_a_lost_server_of_this_estate_is_won_back(tmp_path: Path, daemon: Daemon) -> None:
    port = free_port()
    script = (
        f"import socket, time; s = socket.socket(); s.bind(('127.0.0.1', {port})); s.listen(); "
        "print('ready', flush=True); time.sleep(60)"
    )
    daemon.start([sys.executable, "-c", script, str(tmp_path / "run")], dict(os.environ), tmp_path)
    daemon.await_ready(lambda: "ready" in daemon.log.read_text(), within=20)
    daemon.pid_file.unlink()
    ports.check([port], tmp_path, 8070)
