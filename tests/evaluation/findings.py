"""What came out, each thing asserted and told in a sentence; and how long each step took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Findings:
    """`failed` are the sentences of what did not come out so."""

    times: list[tuple[str, float]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    held: int = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        print(f"\n{title}", flush=True)
        began = time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - began
            self.times.append((title, seconds))
            print(f"  {seconds:.0f} s", flush=True)

    def that(self, sentence: str, came: object, told: object = "") -> None:
        """`told` is what was found, said where it did not come out so."""
        if came:
            self.held += 1
            print(f"  yes  {sentence}", flush=True)
        else:
            self.failed.append(sentence)
            print(f"  NO   {sentence}{f': {told}' if told else ''}", flush=True)

    def conclude(self) -> int:
        print("\nTimes")
        for title, seconds in self.times:
            print(f"  {seconds:6.0f} s  {title}")
        print(f"  {sum(seconds for _, seconds in self.times):6.0f} s  in all")
        print(f"\n{self.held} of {self.held + len(self.failed)} things came out as they must.")
        for sentence in self.failed:
            print(f"not so: {sentence}")
        return 1 if self.failed else 0
