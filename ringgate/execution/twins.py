"""The twin of a run: taken after its steps and before its undo, compared with what was learned, or learned from.

    engine = Engine(..., twins=Twins(TwinFolder(paths.twins()), every=5))

A twin is learned from the first `ENOUGH` passing runs of a tenant, scenario and channel, and from every later one of
the same release and server version that agrees with it. A run of another release, version or series is compared, and
never learned from: what the release changed must be accepted (`ringgate.twins.accepted`), or the old twin be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from ringgate.domain.model import Attachment, Tenant
from ringgate.domain.terms import Capability, Channel, StepKind
from ringgate.drivers.protocol import Connection, Driver
from ringgate.scenario import payment_terms
from ringgate.scenario.expectations import ExpectationFailed
from ringgate.scenario.test_data import Make
from ringgate.twins import files, learning
from ringgate.twins.accepted import NOTHING_REVIEWED, Reviewed, as_of
from ringgate.twins.canonical import twin_of
from ringgate.twins.comparison import TwinChange, TwinFinding, compare
from ringgate.twins.files import TwinFolder
from ringgate.twins.model import LearnedTwin, Twin, TwinKey
from ringgate.twins.records import RunRecords
from ringgate.twins.words import RunWords

TOLD = 3
"""Findings that a failure's message names; the evidence has them all."""


class TwinDiffers(ExpectationFailed):
    """The process passed; what it made is not what runs before it made, and nobody accepts the difference."""

    kind = "twin"

    def __init__(self, findings: tuple[TwinFinding, ...], twin: Twin) -> None:
        first = findings[0]
        super().__init__("", expected=first.before, actual=first.after, because="")
        told = "; ".join(each.sentence for each in findings[:TOLD])
        more = f"; and {len(findings) - TOLD} more" if len(findings) > TOLD else ""
        self.args = (told + more,)
        self.findings, self.twin = findings, twin

    def save(self, folder: Path, redact: Callable[[str], str]) -> list[Attachment]:
        """All findings with their signatures, and the twin, as the run's evidence."""
        told = "".join(f"{each.sentence}\n    {each.signature}\n" for each in self.findings)
        kept = {"twin-findings.txt": told, "twin.json": files.dump(self.twin).decode()}
        for name, text in kept.items():
            (folder / name).write_text(redact(text))
        return [Attachment(name, "text", str(folder / name)) for name in kept]


class NamesSteps(Protocol):
    """A run, as far as it is needed here."""

    id: str
    today: date

    def step(self, name: str, kind: StepKind | None = None) -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class TwinLabels:
    """What a run is labelled with: `version` is the server's, `now` when the steps ended."""

    scenario: str
    release: str
    version: str
    now: datetime


@dataclass(slots=True)
class Twins:
    """Which runs have their twin taken, and what is done with it. For one process and thread.

    `every`: one run of so many of each tenant, scenario and channel; the first is one of them. `reviewed` is what
    people accepted. Runs of a driver without `Capability.TWINS` have none."""

    folder: TwinFolder
    every: int = 1
    reviewed: Reviewed = NOTHING_REVIEWED
    _seen: dict[TwinKey, int] = field(default_factory=dict)

    def wants(self, scenario: str, tenant: Tenant, channel: Channel, able: frozenset[Capability]) -> TwinKey | None:
        """The key of a run whose twin is to be taken now."""
        if Capability.TWINS not in able or Capability.TWINS in tenant.lacks:
            return None
        key = TwinKey(tenant.id, scenario, channel)
        seen = self._seen[key] = self._seen.get(key, 0) + 1
        return key if (seen - 1) % self.every == 0 else None

    def compared(self, key: TwinKey, series: str) -> LearnedTwin | None:
        """What a run on that series is compared with: its own series', else an earlier one's by its names here. None
        where nothing, or too little, is known."""
        learned = self.folder.read(key, series)
        if learned is None and (earlier := self.folder.earlier(key, series)) is not None:
            learned = as_of(earlier, series, self.reviewed)
        return learned if learned is not None and learned.runs >= learning.ENOUGH else None

    @staticmethod
    def labels(scenario: str, release: str, version: str, now: datetime) -> TwinLabels:
        return TwinLabels(scenario, release, version, now)

    @staticmethod
    def evidence(found: BaseException | None, folder: Path, redact: Callable[[str], str]) -> list[Attachment]:
        """Of what `follow` or `beside` returned: the findings, where there are any."""
        return found.save(folder, redact) if isinstance(found, TwinDiffers) else []

    def follow(
        self, tenant: Tenant, driver: Driver, connection: Connection, make: Make, run: NamesSteps, labels: TwinLabels
    ) -> BaseException | None:
        """Where a run's turn has come: reads what it made so far, compares it, and learns from it where nothing
        differs. Returns what it failed with: TwinDiffers, or what reading came to."""
        key = self.wants(labels.scenario, tenant, driver.channel, driver.capabilities)
        try:
            if key is not None:
                with run.step("read all that was made"):
                    twin = take(key, tenant, connection.records_of_run(run.id), make, run, labels)
                if (learned := self.compared(key, twin.series)) is not None:
                    with run.step("compare with runs before", StepKind.TWIN):
                        self._judge(twin, learned, run.today)
                self.learn(twin)
        except (Exception, KeyboardInterrupt) as error:
            return error
        return None

    def beside(
        self, tenant: Tenant, driver: Driver, connection: Connection, make: Make, run: NamesSteps, labels: TwinLabels
    ) -> TwinDiffers | None:
        """What differs in what a run made before it failed, as evidence beside its failure: it names the field where
        that names an amount. Only values, for the rest was never made; None where nothing differs or can be said."""
        key = TwinKey(tenant.id, labels.scenario, driver.channel)
        if Capability.TWINS not in driver.capabilities or Capability.TWINS in tenant.lacks:
            return None
        with suppress(Exception):  # it is a help; the failure itself is what is reported
            twin = take(key, tenant, connection.records_of_run(run.id), make, run, labels)
            if (learned := self.compared(key, twin.series)) is not None:
                found = tuple(each for each in compare(learned, twin) if each.change is TwinChange.VALUE)
                return TwinDiffers(found, twin) if found else None
        return None

    def _judge(self, twin: Twin, learned: LearnedTwin, today: date) -> None:
        """Raises TwinDiffers where something differs and nobody accepts it."""
        if found := self.reviewed.open(compare(learned, twin), twin.release, twin.key.scenario, today):
            raise TwinDiffers(found, twin)

    def learn(self, twin: Twin) -> None:
        """From a run that passed, if it is one of those that teach."""
        with self.folder.held(twin.key):
            learned = self.folder.read(twin.key, twin.series)
            if learned is not None and (learned.release, learned.version) == (twin.release, twin.version):
                self.folder.write(learning.merged(learned, twin))
            elif (learned is None or learned.runs < learning.ENOUGH) and not self.folder.earlier(twin.key, twin.series):
                self.folder.write(learning.first(twin))


def take(key: TwinKey, tenant: Tenant, made: RunRecords, make: Make, run: NamesSteps, labels: TwinLabels) -> Twin:
    """What the run made, in words."""
    ended = labels.now.astimezone(ZoneInfo(tenant.timezone)).date()
    due = payment_terms.due_dates(run.today, tenant.policy.term)
    words = RunWords(
        run_id=run.id,
        days=tuple(dict.fromkeys((run.today, ended))),
        server_day=made.began.date() if made.began else None,
        began=made.began,
        dates={f"due date {place}": each for place, each in enumerate(due, start=1)},
        texts=tuple(make.texts),
    )
    return twin_of(key, made, words, version=labels.version, release=labels.release)
