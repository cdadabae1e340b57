"""The lives of one prober: started, watched, killed, started again."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

LINE = re.compile(
    r"\d\d:\d\d:\d\d +(\S+) +(\S+) +(\S+) +(api|browser) +(passed|failed|broken|skipped) +[\d.]+ s(?:  (.*))?"
)
"""What a prober prints of a run that ended: ring, tenant, scenario, channel, outcome, why."""

GRACE = 180.0
"""Seconds it has to stop, on a machine that may be busy with other things."""

EVERY = 5.0
"""Seconds between two looks at its memory."""


@dataclass
class Life:
    """From one start to its end. `own` and `whole` are (seconds of life, MiB) of the process, and with its browsers."""

    own: list[tuple[float, float]] = field(default_factory=list)
    whole: list[tuple[float, float]] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)
    orphans: int = 0
    code: int | None = None


class Lives:
    """Keeps what all of them printed, in `told`, and began, in their spools."""

    def __init__(self, inventory: Path, folder: Path, environment: Mapping[str, str]) -> None:
        probe = ["probe", "--inventory", str(inventory), "--grace", f"{GRACE:.0f}"]
        self._command = [sys.executable, "-m", "ringgate.cli", *probe]
        self._folder, self._environment = folder, environment
        self.lives: list[Life] = []
        self.told: Counter[tuple[str, str, str, str]] = Counter()
        self.errors: list[str] = []

    def start(self) -> None:
        self._life, self._began = Life(), time.monotonic()
        self.lives.append(self._life)
        self._process = subprocess.Popen(
            self._command, env=dict(self._environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._listen, self._measure)]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """As a machine does that is out of memory: without a word."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._gone()
        for spool in (self._folder / "spool").glob("*.jsonl"):
            for line in spool.read_text().splitlines():
                if line.startswith('{"began"') and line.endswith("}"):
                    self._life.begun.add(json.loads(line)["began"]["run_id"])
        _, left = psutil.wait_procs(children, timeout=30)
        self._life.orphans = len(left)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(2 * GRACE)
        self._gone()

    def _gone(self) -> None:
        self._life.code = self._process.wait()
        for thread in self._threads:
            thread.join(30)

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            found = LINE.match(line)
            if found:
                _, tenant, scenario, channel, outcome, why = found.groups()
                self.told[tenant, scenario, channel, outcome] += 1
                if outcome != "passed":
                    self.errors.append(f"{tenant} {scenario} {channel} {outcome}: {why}")
            print(f"  {line}" if not found or found[5] != "passed" else "", end="", flush=True)

    def _measure(self) -> None:
        process = psutil.Process(self._process.pid)
        while self.alive:
            try:
                own = process.memory_info().rss
                whole = own + sum(each.memory_info().rss for each in process.children(recursive=True))
            except psutil.Error:
                continue
            at = time.monotonic() - self._began
            self._life.own.append((at, own / 2**20))
            self._life.whole.append((at, whole / 2**20))
            threading.Event().wait(EVERY)


def growth(samples: list[tuple[float, float]]) -> tuple[float, float]:
    """MiB at the median of the first half after the warm-up, the first third, and how much more of the last half."""
    warm = [size for at, size in samples if at > samples[-1][0] / 3]
    half = len(warm) // 2
    first, last = sorted(warm[:half]), sorted(warm[half:])
    return first[len(first) // 2], last[len(last) // 2] - first[len(first) // 2]
