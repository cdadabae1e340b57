"""A mutant on a real ERP: planted, proved to be active by a row, caught, and taken back with all that was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringgate.domain.model import Scenario
from ringgate.domain.terms import Outcome
from ringgate.estate import Estate
from tests.evaluation.mutants.rules import mutants
from tests.evaluation.mutants.trials import TenantTrials
from tests.evaluation.mutants.verdicts import CAUGHT
from tests.support.estate import Leased

WANTED = ("timesheet_line", ("duration",), "INSERT", "off by one minute", False)


def _counted(estate: Estate, tenant: str) -> list[int]:
    tables = ("project_work", "timesheet_line", "timesheet_work")
    with estate.sql(tenant) as database:
        return [database.execute(f'SELECT count(*) FROM "{each}"').fetchone()[0] for each in tables]  # type: ignore[index]


@pytest.mark.sweep
def test_a_mutant_is_planted_proved_active_caught_and_put_back(
    own_tenant: Leased, estate: Estate, scenarios: dict[str, Scenario], tmp_path: Path
) -> None:
    tenant, before = own_tenant.tenant, _counted(estate, own_tenant.id)
    with TenantTrials(estate, tenant, [tenant], tmp_path, ["time-entry"], scenarios) as trials:
        assert {each.outcome for each in trials.learn()} == {Outcome.PASSED}
        mutant = next(
            each
            for each in mutants(trials.everything())
            if (each.table, each.columns, each.op, each.rule, each.some) == WANTED
        )
        trial = trials.try_out(mutant)
        assert trial.verdict == CAUGHT, trial
        assert trial.caught is not None
        assert trial.caught.rows > 0
        assert trials.clean().outcome is Outcome.PASSED
        assert trials.false == []
    assert _counted(estate, own_tenant.id) == before
    with estate.sql(own_tenant.id) as database:
        assert database.execute("SELECT to_regnamespace('ringgate_mutants')").fetchone() == (None,)
