"""Several processes share the tenants: this one starts them, passes signals on, and starts one that died again.

Each is this very command with a share of its own. What a process that died was running is taken back by the next.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ringgate.domain.errors import OurSideError

COMMAND = ("-m", "ringgate.cli")

LIVED = 30.0
"""Seconds after which a process that dies is started again; one that dies sooner would die again."""


class Died(OurSideError):
    """A process of the prober died, and again at once."""

    kind = "process"


@contextmanager
def on_signals(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """SIGTERM and SIGINT go to `handler` meanwhile."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


def run_shares(number: int, grace: float, *, endless: bool = False, arguments: Sequence[str] | None = None) -> int:
    """Runs them until all have ended; `endless` ones end together. Returns their worst exit code; raises Died."""
    given = [*(sys.argv[1:] if arguments is None else arguments)]
    stopping: list[int] = []
    shares = [
        _Share([sys.executable, *COMMAND, *given, f"--share={n}/{number}", "--processes=1"]) for n in range(number)
    ]

    def stop(signum: int, _frame: object) -> None:
        stopping.append(signum)
        for share in shares:
            share.process.send_signal(signum)

    with on_signals(stop):
        while any(share.goes_on(bool(stopping)) for share in shares):
            if early := [share for share in shares if share.dies_again and not stopping]:
                _end(shares, grace)
                raise Died(f"A process of the prober ended with {early[0].process.returncode} right after its start.")
            if endless and not stopping and any(share.ended for share in shares):
                stopping.append(signal.SIGTERM)  # tenants that nobody probes would be passed over in silence
                _end(shares, grace)
            time.sleep(0.1)
    codes = [share.process.returncode for share in shares]
    return max((code if code >= 0 else 2 for code in codes), key=[0, 130, 1, 2, 3].index)


class _Share:
    """One of the processes. It gets signals from its parent alone, not from the terminal as well."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self.start()

    def start(self) -> None:
        self._began = time.monotonic()
        self.process = subprocess.Popen(self._command, start_new_session=True)

    @property
    def dies_again(self) -> bool:
        """Whether it was killed, or crashed, before it had lived at all."""
        return self.process.poll() is not None and self.process.returncode < 0

    @property
    def ended(self) -> bool:
        """Whether it ended by itself."""
        return self.process.poll() is not None and self.process.returncode >= 0

    def goes_on(self, stopping: bool) -> bool:
        """Whether it is not at its end. One that was killed after it had lived for a while is started again."""
        if self.dies_again and not stopping:
            if time.monotonic() - self._began > LIVED:
                self.start()
            return True
        return self.process.poll() is None


def _end(shares: Sequence[_Share], grace: float) -> None:
    for share in shares:
        if share.process.poll() is None:
            share.process.terminate()
    for share in shares:
        try:
            share.process.wait(grace + 30)
        except subprocess.TimeoutExpired:
            share.process.kill()
