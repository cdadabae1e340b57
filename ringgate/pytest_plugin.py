"""pytest collects a scenario once for each tenant and channel that is selected, and `run_once` runs it.

    suites/processes/test_billing.py: from scenarios.project_to_cash import project_to_cash
    -> project-to-cash[aldgate-api], project-to-cash[aldgate-browser], project-to-cash[bleecker-api] ...

What does not apply is decided while collecting, without a call to the ERP, and shown as skipped with its reason.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from ringgate.domain.errors import ErpError, RinggateError
from ringgate.domain.events import Sink
from ringgate.domain.model import Channel, Layer, Outcome, RunResult, Scenario, Source, Tenant
from ringgate.drivers.registry import capabilities
from ringgate.execution import setup
from ringgate.execution.paces import PaceComparison, compare_paces
from ringgate.execution.run_once import Engine, not_applicable, run_once
from ringgate.host import paths
from ringgate.inventory import Inventory
from ringgate.scenario.discovery import check_known, known_scenarios
from ringgate.store import Store

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

SHOWN = 5
"""Steps that are named where a session was slower than usual."""

_ID = re.compile(r"\[([a-z0-9-]+)-(?:api|browser)\]")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ringgate", "business processes of an ERP (Ringgate)")
    many: dict[str, Any] = {"action": "append", "default": [], "metavar": "NAME"}
    group.addoption("--tenant", help="run on this tenant; may be given again", **many)
    group.addoption("--cohort", help="run on the tenants of this cohort; may be given again", **many)
    group.addoption("--ring", help="run on the tenants of this ring; may be given again", **many)
    group.addoption("--region", help="run on the tenants of this region; may be given again", **many)
    group.addoption("--scenario", help="run this scenario; may be given again", **many)
    group.addoption(
        "--channel", action="append", default=[], choices=[c.value for c in Channel], help="run over this channel only"
    )
    group.addoption(
        "--layer",
        action="append",
        default=[],
        choices=[x.value for x in Layer],
        help="run scenarios of this layer only",
    )
    group.addoption(
        "--smoke", action="store_true", help="over the browser, only the scenarios marked smoke; over the API, all"
    )
    group.addoption(
        "--inventory", metavar="DIR", help="the tenants' folder (default: RINGGATE_INVENTORY, else tenants/)"
    )
    group.addoption("--release", default="", metavar="NAME", help="label the results with the release under test")
    group.addoption(
        "--results", metavar="URL", help="where results are stored (default: RINGGATE_RESULTS, else SQLite)"
    )
    group.addoption(
        "--report", metavar="FILE", help="where the HTML report is written (default: reports/out/report.html)"
    )


class Selection:
    """What the options ask for, read when the first scenario is collected. Errors of use are pytest usage errors."""

    def __init__(self, config: pytest.Config) -> None:
        option = config.getoption
        try:
            inventory = Inventory.load(option("inventory"))
            self.tenants: Sequence[Tenant] = inventory.select(
                option("tenant"), cohorts=option("cohort"), rings=option("ring"), regions=option("region")
            )
            self.everybody: Sequence[Tenant] = inventory.tenants
            self.scenarios = known_scenarios(config.rootpath)
            check_known(option("scenario"), self.scenarios)
        except RinggateError as error:
            raise pytest.UsageError(str(error)) from None
        self.channels = [channel for channel in Channel if channel in (option("channel") or list(Channel))]
        self._smoke: bool = option("smoke")
        self._wanted, self._layers = set(option("scenario")), set(option("layer"))

    def wants(self, scenario: Scenario) -> bool:
        return (not self._wanted or scenario.id in self._wanted) and (
            not self._layers or scenario.layer in self._layers
        )

    def channels_of(self, scenario: Scenario) -> list[Channel]:
        """The selected channels over which this scenario is to run."""
        passed_over = {Channel.BROWSER} if self._smoke and not scenario.smoke else set()
        return [channel for channel in self.channels if channel not in passed_over]


class SuiteSession:
    """One invocation in one process: its label, its selection, its engine once something runs."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        worker = getattr(config, "workerinput", None)
        self.label: str = worker["ringgate_session"] if worker else setup.new_session()
        self.ran_scenarios = False
        self._selection: Selection | None = None
        self._engine: Engine | None = None
        self._open = ExitStack()

    @property
    def selection(self) -> Selection:
        if self._selection is None:
            self._selection = Selection(self._config)
        return self._selection

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            sinks: list[Sink] = []
            if self._config.getoption("allure_report_dir", None):
                from ringgate.sinks.allure import AllureSink

                sinks.append(AllureSink(paths.reports() / "evidence"))
            self._engine = self._open.enter_context(
                setup.engine(
                    self.selection.tenants,
                    session=self.label,
                    release=self._config.getoption("release"),
                    results=self._config.getoption("results"),
                    sinks=sinks,
                    neighbours=self.selection.everybody,
                )
            )
            self._open.enter_context(_stopped_by_sigterm())
        return self._engine

    def close(self) -> None:
        self._open.close()


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM stops as Ctrl-C does: what runs is taken back first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


_SESSION: pytest.StashKey[SuiteSession] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "channels(*names): the channels that a test with `process` is run over")
    session = config.stash[_SESSION] = SuiteSession(config)
    if not config.option.help and _is_about_suites(config):
        _ = session.selection  # a usage error is told before anything is collected


def _is_about_suites(config: pytest.Config) -> bool:
    """Whether scenarios are to be collected: Ringgate's other tests need no inventory."""
    named = any(config.getoption(name) for name in ("tenant", "cohort", "ring", "region", "scenario", "inventory"))
    return named or any("suites" in Path(argument.split("::")[0]).parts for argument in config.args)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _SESSION in config.stash:
        config.stash[_SESSION].close()


# --- collection ----------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[ScenarioItem] | None:
    if not isinstance(obj, Scenario):
        return None
    selection = collector.config.stash[_SESSION].selection
    if not selection.wants(obj):
        return []
    return [
        ScenarioItem.of(collector, obj, tenant, channel)
        for tenant in selection.tenants
        for channel in selection.channels_of(obj)
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `process` is run for each selected tenant (over the API unless marked otherwise)."""
    if "process" not in metafunc.fixturenames:
        return
    session = metafunc.config.stash[_SESSION]
    marker = metafunc.definition.get_closest_marker("channels")
    channels = [Channel(name) for name in marker.args] if marker else [Channel.API]
    pairs = [(t, c) for t in session.selection.tenants for c in channels if c in session.selection.channels]
    made = [pytest.param(Process(session, t, c), id=f"{t.id}-{c.value}") for t, c in pairs]
    metafunc.parametrize("process", made)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Scenarios that a test makes by itself have no id to be asked for, and are of the process layer."""
    layers = config.getoption("layer")
    if not config.getoption("scenario") and (not layers or Layer.PROCESS in layers):
        return
    left = [item for item in items if "process" in getattr(item, "fixturenames", ())]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


class Process:
    """One tenant over one channel, for tests that make scenarios of their own, such as properties."""

    def __init__(self, session: SuiteSession, tenant: Tenant, channel: Channel) -> None:
        self._session, self.tenant, self.channel = session, tenant, channel

    def __call__(self, scenario: Scenario) -> RunResult:
        """Run it once, undone and stored like any other. Raises what it did not survive; skips what does not apply."""
        result = run_once(scenario, self.tenant, self.channel, self._session.engine)
        if result.outcome is Outcome.SKIPPED:
            pytest.skip(f"not applicable: {result.reason}")
        if result.error is not None:
            raise result.error
        return result


class ScenarioItem(pytest.Function):
    """One scenario on one tenant over one channel."""

    scenario: Scenario
    tenant: Tenant
    channel: Channel

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
        neighbours = parent.config.stash[_SESSION].selection.everybody
        reason = not_applicable(scenario, tenant, channel, capabilities(tenant.erp, channel), today, neighbours)
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"not applicable: {reason}"))
        return item

    @property
    def session_of_run(self) -> SuiteSession:
        return self.config.stash[_SESSION]

    def runtest(self) -> None:
        try:
            result = run_once(self.scenario, self.tenant, self.channel, self.session_of_run.engine)
        except KeyboardInterrupt:  # it is undone and stored; the report has to say what became of it
            self.session.shouldstop = "we were asked to stop"
            pytest.skip("stopped: we were asked to stop while it ran, and what it had written was taken back")
        self._tell(result)
        if result.outcome is Outcome.SKIPPED:
            pytest.skip(result.reason)
        if result.error is not None:
            raise result.error

    def _tell(self, result: RunResult) -> None:
        self.user_properties += [
            ("run", result.run_id),
            ("trace", result.trace_id),
            ("outcome", result.outcome.value),
        ]
        told = [f"{step.outcome.value:7} {step.seconds:7.2f} s  {step.name}" for step in result.steps]
        told += [f"left behind: {each.verb} {each.marker}: {each.reason}" for each in result.residue]
        told += [f"{each.kind}: {paths.reports() / 'evidence' / each.path}" for each in result.attachments]
        self.add_report_section("call", f"run {result.run_id}", "\n".join(told))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        error = excinfo.value
        if isinstance(error, RinggateError):
            whose = (
                "the ERP is wrong" if isinstance(error, ErpError) else "BROKEN: our side, no evidence against the ERP"
            )
            frames = [str(e.path) + f":{e.lineno + 1}" for e in excinfo.traceback if "scenarios" in Path(e.path).parts]
            return self.session_of_run.engine.redact("\n".join([str(error), f"({whose}, {error.kind})", *frames[-1:]]))
        return super().repr_failure(excinfo)

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


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if isinstance(item, ScenarioItem) and item.get_closest_marker("skip"):
        run_once(
            item.scenario, item.tenant, item.channel, item.session_of_run.engine
        )  # only notes that it does not apply


# --- several workers ------------------------------------------------------------------------------------------------


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["ringgate_session"] = node.config.stash[_SESSION].label


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """With plain `-n`, all runs on one tenant go to one worker: they share its sessions and never stand in line."""
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByTenant(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            match = _ID.search(nodeid)
            return match.group(1) if match else nodeid

    return ByTenant(config, log)


# --- what it comes to ------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> Generator[None, None, None]:
    yield
    session = config.stash[_SESSION]
    reports = [report for group in terminalreporter.stats.values() for report in group]
    if any("scenario" in dict(getattr(report, "user_properties", ())) for report in reports):
        _summarise(session, config, terminalreporter)


def _summarise(session: SuiteSession, config: pytest.Config, terminalreporter: Any) -> None:
    from ringgate.report import build_report, matrix_table

    try:
        store = Store(setup.results_url(config.getoption("results")))
        results: Iterable[RunResult] = store.results(session=session.label)
        deployments = store.deployments()
        pace = _pace(store, list(results))
        store.close()
    except RinggateError as error:
        terminalreporter.write_line(f"no report: {error}", red=True)
        return
    selection, results = session.selection, list(results)
    ran = {result.scenario for result in results}
    planned = [
        replace(scenario, channels=scenario.channels & set(selection.channels_of(scenario)))
        for scenario in selection.scenarios.values()
        if scenario.id in ran
    ]
    out = Path(config.getoption("report") or paths.reports() / "report.html")
    build_report(
        results,
        selection.tenants,
        planned,
        title="Business processes",
        generated_at=datetime.now(UTC),
        release=config.getoption("release"),
        out=out,
        attachments_root=paths.reports() / "evidence",
        channels=selection.channels,
        deployments=deployments,
    )
    terminalreporter.section("business processes")
    table = matrix_table(results, selection.tenants, planned, channels=selection.channels)
    Console(file=terminalreporter._tw._file).print(table)
    terminalreporter.write_line(f"report: {out}")
    if pace.slower:
        terminalreporter.write_line(f"WARNING: {pace} (or this machine was busy)", yellow=True)
        for each in pace.slow[:SHOWN]:
            terminalreporter.write_line(f"  {each}", yellow=True)


def _pace(store: Store, results: Sequence[RunResult]) -> PaceComparison:
    """This session against what passed on the same tenants before."""
    begun = min((each.started_at for each in results), default=datetime.now(UTC))
    past = store.results(since=begun - timedelta(days=30), until=begun, outcomes=[Outcome.PASSED], newest=5000)
    return compare_paces((each for each in past if each.source in (Source.SUITE, Source.PROBE)), results)
