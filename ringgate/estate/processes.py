"""Servers that outlive the command which started them, and are found again by the next one.

A pid file says which process it was and when that started, so that after a crash or a restart of the machine no
other program that happens to have the same number is taken for ours.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from ringgate.estate.errors import EstateError
from ringgate.host.atomic_files import write_atomically

CLOCK_SLACK = 2.0
"""Seconds by which the start time of one process may seem to move when the machine's clock is corrected."""

_started: dict[int, subprocess.Popen[bytes]] = {}
"""Children of this very process, which must be asked after, or they would stay as zombies that look alive."""


class Daemon:
    """One server process with its pid file and its log."""

    def __init__(self, name: str, pid_file: Path, log: Path) -> None:
        self.name = name
        self.pid_file = pid_file
        self.log = log

    def start(
        self, command: Sequence[str | Path], env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        """Starts it in a session of its own, so that neither Ctrl-C nor a closed terminal reaches it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(env) if env is not None else None,
                cwd=cwd,
                start_new_session=True,
            )
        _started[child.pid] = child
        with suppress(psutil.NoSuchProcess):
            note = {"pid": child.pid, "started": psutil.Process(child.pid).create_time()}
            write_atomically(self.pid_file, json.dumps(note))

    def wait(self) -> int:
        """Waits for the end of a process that this very one started, and answers its exit code."""
        child = _started.pop(int(json.loads(self.pid_file.read_text())["pid"]))
        code = child.wait()
        self.pid_file.unlink(missing_ok=True)
        return code

    def process(self) -> psutil.Process | None:
        """The running process, or None. A pid file that speaks of another process is ignored."""
        try:
            note = json.loads(self.pid_file.read_text())
            return same_process(int(note["pid"]), float(note["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def running(self) -> bool:
        return self.process() is not None

    def stop(self, patience: float = 20.0) -> None:
        """Asks it to end, insists after `patience` seconds, and waits until it and its workers are gone."""
        process = self.process()
        if process is not None:
            stop_tree(process, patience)
        self.pid_file.unlink(missing_ok=True)

    def await_ready(self, ready: Callable[[], bool], within: float) -> None:
        """Waits until `ready()`; raises EstateError if the process ends first or `within` seconds pass."""

        def ready_or_ended() -> bool:
            return ready() or not self.running

        if not wait_until(ready_or_ended, within):
            raise EstateError(f"The {self.name} did not answer within {within:.0f} s: see {self.log}.")
        if not self.running and not ready():
            raise EstateError(f"The {self.name} ended at once ({last_line(self.log)}): see {self.log}.")


def wait_until(done: Callable[[], bool], within: float, every: float = 0.02) -> bool:
    """Asks every so many seconds until it is done; False if that takes longer than `within` seconds."""
    deadline = time.monotonic() + within
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def same_process(pid: int, started: float) -> psutil.Process | None:
    """The living process `pid` if it is the one that started at `started` (epoch seconds)."""
    child = _started.get(pid)
    if child is not None and child.poll() is not None:
        del _started[pid]
        return None
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) <= CLOCK_SLACK
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def stop_tree(process: psutil.Process, patience: float) -> None:
    """Ends one process gently; what is left of it and its children after `patience` seconds is killed."""
    try:
        family = [process, *process.children(recursive=True)]
        process.terminate()
    except psutil.NoSuchProcess:
        return
    _, left = psutil.wait_procs([process], timeout=patience)
    _, left = psutil.wait_procs([*left, *family], timeout=0 if left else 2)
    for member in left:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(left, timeout=5)
    child = _started.pop(process.pid, None)
    if child is not None:
        child.wait(timeout=5)


def last_line(log: Path) -> str:
    """The last line of a log that says something, shortened for a sentence."""
    with suppress(OSError):
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        if lines:
            return lines[-1][:200].rstrip(".")
    return "it said nothing"


def answers(port: int) -> bool:
    """Whether something on this machine accepts connections on `port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listener(port: int) -> psutil.Process | None:
    """The process that listens on a port, None where there is none or the system does not tell."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            mine = connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN
            if mine and connection.pid:
                return psutil.Process(connection.pid)
    return None


__all__ = [
    "CLOCK_SLACK",
    "Daemon",
    "answers",
    "free_port",
    "last_line",
    "listener",
    "port_is_free",
    "same_process",
    "stop_tree",
    "wait_until",
    "write_atomically",
]
