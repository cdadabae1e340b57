"""A clean upgrade on a busy machine is promoted, or at worst inconclusive: what was slow is not what is wrong.

`make busy` does this again and again, beside more load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ringgate.estate import Estate
from tests.evaluation.busy.load import load
from tests.evaluation.busy.rounds import rehearse
from tests.support.estate import Leased


@pytest.mark.sweep  # a quarter of an hour beside its own load
def test_a_clean_upgrade_on_a_busy_machine_is_not_rolled_back(
    estate: Estate, lease: Callable[..., Leased], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = lease("GBP").id
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    try:
        with load(2):
            came = rehearse(estate, tenant, "low")
    finally:
        estate.reset(tenant)
    assert came.fair, str(came)
