"""Several processes share the tenants: this one starts them, passes signals on, and starts one that died again.

Each is this very command with a share of its own. What a process that died was running is taken back by the next.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from ringgate.errors import OurSideError

LIVED = 30.0
"""Seconds after which a process that dies is started again; one that dies sooner would die again."""


class Died(OurSideError):
    """A process of the prober died, and again at once."""

    kind = "process"


def run_shares(number: int, grace: float, arguments: Sequence[str] | None = None) -> int:
    """Runs them until all have ended. Returns the worst of their exit codes; raises Died."""
    given = [*(sys.argv[1:] if arguments is None else arguments)]
    stopping: list[int] = []
    shares = [_Share([sys.executable, "-m", "ringgate.cli", *given, f"--share={n}/{number}", "--processes=1"])
              for n in range(number)]  # fmt: skip

    def stop(signum: int, _frame: object) -> None:
        stopping.append(signum)
        for share in shares:
            share.process.send_signal(signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    while any(share.process.poll() is None for share in shares):
        for share in shares:
            if not stopping and share.died:
                if share.seconds < LIVED:
                    _end(shares, grace)
                    raise Died(f"A process of the prober ended with {share.process.returncode} right after its start.")
                share.start()
        time.sleep(0.2)
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
    def died(self) -> bool:
        """Whether it was killed, or ended by a mistake of its own."""
        return self.process.poll() is not None and self.process.returncode < 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began


def _end(shares: Sequence[_Share], grace: float) -> None:
    for share in shares:
        if share.process.poll() is None:
            share.process.terminate()
    for share in shares:
        try:
            share.process.wait(grace + 30)
        except subprocess.TimeoutExpired:
            share.process.kill()
