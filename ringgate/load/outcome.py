"""What came of a load: its processes one by one, what the platform said, and the file that keeps both."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from ringgate.domain.errors import RinggateError
from ringgate.host.atomic_files import write_atomically
from ringgate.load.profile import LoadProfile, LoadStage

FORMAT = 1


class LoadFileError(RinggateError):
    """A file is no result of a load."""


@dataclass(frozen=True, slots=True)
class LoadRun:
    """One process of one user. `at` is when the user came, in seconds from the beginning; `waited` how long before it
    began, because all users were busy; `seconds` from then until it ended, tries again included. `undo` is what taking
    it back took, `calls` what was asked of the ERP. `kind` says how it ended: "" if well."""

    at: float
    scenario: str
    tenant: str
    seconds: float
    waited: float = 0.0
    undo: float = 0.0
    calls: int = 0
    tries: int = 1
    kind: str = ""

    @property
    def taken(self) -> float:
        """What the user had to wait in all."""
        return self.waited + self.seconds


@dataclass(frozen=True, slots=True)
class Reading:
    """A platform signal, `at` seconds from the beginning (below 0: before). `resource` is what of the platform it
    measures."""

    at: float
    signal: str
    value: float
    resource: str = ""
    unit: str = ""
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class StageFigures:
    """One stage: processes a second that ended, their median and 95th percentile in seconds, and the share that did not
    end well."""

    stage: LoadStage
    runs: int
    rate: float
    median: float | None
    p95: float | None
    wrong: float


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """`began` is aware (UTC). `lasted` seconds of load; `stopped` says why it ended early, "" if it did not. `ours` is
    the part of one core that this machine's load took, `late` arrivals for which nobody was free; `left` is what could
    not be taken back, `unread` what was wrong with platform signals."""

    profile: LoadProfile
    scenarios: tuple[str, ...]
    tenants: tuple[str, ...]
    began: datetime
    lasted: float
    runs: tuple[LoadRun, ...] = ()
    readings: tuple[Reading, ...] = ()
    stopped: str = ""
    ours: float = 0.0
    late: int = 0
    left: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    name: str = ""

    def held(self) -> list[LoadRun]:
        """What came while the load was held: what is compared with another."""
        return [run for run in self.runs if run.at >= self.profile.stages()[-1].begins]

    def kinds(self) -> Mapping[str, int]:
        """How often what went wrong."""
        return dict(Counter(run.kind for run in self.runs if run.kind).most_common())

    def figures(self) -> list[StageFigures]:
        found = []
        for stage in self.profile.stages():
            ends = min(stage.ends, self.lasted)
            runs = [run for run in self.runs if stage.begins <= run.at < stage.ends]
            ended = sum(1 for run in self.runs if stage.begins <= run.at + run.taken < ends)
            length = max(ends - stage.begins, 1e-9)
            well = [run.taken for run in runs if not run.kind]
            wrong = sum(1 for run in runs if run.kind) / len(runs) if runs else 0.0
            if stage.begins < self.lasted:
                found.append(
                    StageFigures(
                        stage, len(runs), ended / length, quantile(well, 0.5), quantile(well, 0.95), wrong
                    )
                )  # fmt: skip
        return found

    def by_scenario(self) -> Mapping[str, list[LoadRun]]:
        found: dict[str, list[LoadRun]] = {each: [] for each in self.scenarios}
        for run in self.held():
            found[run.scenario].append(run)
        return found

    # --- its file -----------------------------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Raises OSError."""
        data = {"ringgate_load": FORMAT, **asdict(self), "began": self.began.isoformat()}
        write_atomically(path, json.dumps(data, ensure_ascii=False, indent=None) + "\n")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises LoadFileError."""
        try:
            data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if data.pop("ringgate_load") != FORMAT:
                raise ValueError(f"format {FORMAT} is known")
            data["profile"] = LoadProfile(**data["profile"])
            data["began"] = datetime.fromisoformat(data["began"])
            data["runs"] = tuple(LoadRun(**each) for each in data["runs"])
            data["readings"] = tuple(Reading(**each) for each in data["readings"])
            for name in ("scenarios", "tenants", "left", "unread"):
                data[name] = tuple(data[name])
            return cls(**data)
        except OSError as error:
            raise LoadFileError(f"{path}: {error.strerror or error}") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise LoadFileError(f"{path}: it is no result of `ringgate load --save` ({error})") from None


def quantile(values: Iterable[float], part: float) -> float | None:
    """The value that so large a part does not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else None


@dataclass(frozen=True, slots=True)
class SignalSpan:
    """Readings of a signal, cut into the time before the load and the time while it was held."""

    before: Sequence[float] = field(default_factory=list)
    held: Sequence[float] = field(default_factory=list)


def span_of(outcome: LoadOutcome, signal: str) -> SignalSpan:
    held = outcome.profile.stages()[-1].begins
    of = [each for each in outcome.readings if each.signal == signal]
    return SignalSpan([e.value for e in of if e.at < 0], [e.value for e in of if held <= e.at <= outcome.lasted])
