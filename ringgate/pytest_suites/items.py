"""What pytest collects: a scenario on a tenant over a channel, and tests that draw scenarios of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.terms import Channel, Effect, Outcome
from ringgate.drivers.registry import capabilities
from ringgate.execution.applicability import not_applicable
from ringgate.execution.run_once import run_once
from ringgate.host import paths
from ringgate.pytest_suites.budget import Budget
from ringgate.pytest_suites.session import SESSION, SuiteSession


class Process:
    """One tenant over one channel, for tests that make scenarios of their own, such as properties.

    `budget` caps how long they may take together, where the test draws its scenarios (`properties.py`)."""

    def __init__(self, session: SuiteSession, tenant: Tenant, channel: Channel) -> None:
        self._session, self.tenant, self.channel = session, tenant, channel
        self.budget: Budget | None = None

    def __call__(self, scenario: Scenario) -> RunResult:
        """Run it once, undone and stored like any other. Raises what it did not survive; skips what does not apply."""
        if self.budget is not None:
            self.budget.begin()
        result = run_once(scenario, self.tenant, self.channel, self._session.engine)
        if self.budget is not None:
            self.budget.end(failed=result.error is not None)
        if result.outcome is Outcome.SKIPPED:
            pytest.skip(f"not applicable: {result.reason}")
        if result.error is not None:
            raise result.error
        return result


def process_of(item: pytest.Item) -> Process | None:
    """The tenant and channel of a test that makes its own scenarios."""
    found = getattr(getattr(item, "callspec", None), "params", {}).get("process")
    return found if isinstance(found, Process) else None


def tenant_of(item: pytest.Item) -> Tenant | None:
    """Whose tenant's records a test writes."""
    if isinstance(item, ScenarioItem):
        return item.tenant
    process = process_of(item)
    return process.tenant if process else None


def writes(item: pytest.Item) -> bool:
    """Whether a test may change the books of a tenant."""
    if isinstance(item, ScenarioItem):
        return item.scenario.effect > Effect.READ
    return process_of(item) is not None


class ScenarioItem(pytest.Function):
    """One scenario on one tenant over one channel."""

    scenario: Scenario
    tenant: Tenant
    channel: Channel
    _first: RunResult | None = None

    @classmethod
    def of(
        cls, parent: pytest.Module | pytest.Class, scenario: Scenario, tenant: Tenant, channel: Channel
    ) -> ScenarioItem:
        item: ScenarioItem = cls.from_parent(
            parent,
            name=f"{scenario.id}[{tenant.id}-{channel.value}]",
            callobj=_stand_in(scenario),
        )
        item.scenario, item.tenant, item.channel = scenario, tenant, channel
        item.user_properties += [("scenario", scenario.id), ("tenant", tenant.id), ("channel", channel.value)]
        today = datetime.now(UTC).astimezone(ZoneInfo(tenant.timezone)).date()
        neighbours = parent.config.stash[SESSION].selection.everybody
        item.add_marker(pytest.mark.xdist_group(tenant.id))
        reason = not_applicable(scenario, tenant, channel, capabilities(tenant.erp, channel), today, neighbours)
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"not applicable: {reason}"))
        return item

    @property
    def session_of_run(self) -> SuiteSession:
        return self.config.stash[SESSION]

    def runtest(self) -> None:
        if self._first is None or not writes(self):
            try:
                self._first = run_once(self.scenario, self.tenant, self.channel, self.session_of_run.engine)
            except KeyboardInterrupt:  # it is undone and stored; the report has to say what became of it
                self.session.shouldstop = "we were asked to stop"
                pytest.skip("stopped: we were asked to stop while it ran, and what it had written was taken back")
            self._tell(self._first)
        # What writes money is not run again because a plugin repeats what failed: what came of it stands.
        if self._first.outcome is Outcome.SKIPPED:
            pytest.skip(self._first.reason)
        if self._first.error is not None:
            raise self._first.error

    def _tell(self, result: RunResult) -> None:
        said = {"run": result.run_id, "trace": result.trace_id, "outcome": result.outcome.value}
        self.user_properties[:] = [each for each in self.user_properties if each[0] not in said] + list(said.items())
        told = [f"{step.outcome.value:7} {step.seconds:7.2f} s  {step.name}" for step in result.steps]
        told += [f"left behind: {each.verb} {each.marker}: {each.reason}" for each in result.residue]
        told += [f"{each.kind}: {paths.reports() / 'evidence' / each.path}" for each in result.attachments]
        self.add_report_section("call", f"run {result.run_id}", "\n".join(told))

    def reportinfo(self) -> tuple[Path, int, str]:
        code = self.scenario.function.__code__
        return Path(code.co_filename), code.co_firstlineno, self.name


def _stand_in(scenario: Scenario) -> Callable[[], None]:
    """What pytest and allure look at for name and documentation; `ScenarioItem.runtest` does the running."""

    def stand_in() -> None: ...

    stand_in.__name__ = scenario.id.replace("-", "_")
    stand_in.__doc__ = scenario.title
    stand_in.__module__ = scenario.function.__module__
    return stand_in


def items_with_tenants(items: Iterable[pytest.Item]) -> Iterator[tuple[pytest.Item, Tenant]]:
    for item in items:
        if tenant := tenant_of(item):
            yield item, tenant
