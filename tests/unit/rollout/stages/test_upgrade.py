"""Which backup an upgrade would be taken back to, and when one may begin."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from ringgate.rollout.pace import RolloutHeld
from ringgate.rollout.platforms.attempts import AttemptBook
from ringgate.rollout.platforms.hosted import HostedPlatform
from ringgate.rollout.record import StageRecord
from ringgate.rollout.stages.roll_back import to_take_back
from ringgate.rollout.stages.upgrade import own_upgrade, upgrade
from tests.support.hosts import AFTER, BEFORE, StubHosts
from tests.support.samples import tenant

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Site:
    """One tenant on a host whose clock is `behind` ours; its upgrade stage began at noon."""

    def __init__(self, folder, behind: timedelta = timedelta(), began: datetime = NOON) -> None:
        self.now = NOON
        self.hosts = StubHosts(clock=lambda: self.now - behind)
        book = AttemptBook(folder, lambda: self.now)
        self.platform = HostedPlatform(self.hosts, [tenant()], book, clock=lambda: self.now, sleep=lambda _: None)
        self.stages = {"upgrade": StageRecord(began=began)}
        self.context = SimpleNamespace(
            platform=self.platform, ledger=SimpleNamespace(stage=lambda _, name: self.stages.get(name)),
            release=SimpleNamespace(table=SimpleNamespace(before=BEFORE, after=AFTER, manual_steps=())),
        )  # fmt: skip

    def done(self) -> int:
        return self.hosts.done["upgrade", "aldgate"]


def test_an_upgrade_that_came_to_its_end_is_not_done_again_though_its_hosts_clock_is_behind(tmp_path):
    site = Site(tmp_path, behind=timedelta(seconds=20))
    upgrade(site.context, tenant())
    upgrade(site.context, tenant())  # after a kill
    assert site.done() == 1


def test_what_an_earlier_release_would_be_taken_back_to_is_not_ours(tmp_path):
    site = Site(tmp_path)
    site.platform.upgrade("aldgate", AFTER, (), lambda _: nullcontext())
    site.stages["upgrade"] = StageRecord(began=NOON + timedelta(days=40))
    assert own_upgrade(site.platform, site.context.ledger, tenant()) is None
    assert to_take_back(site.context, tenant()) is None
    del site.stages["upgrade"]  # begun, and never upgraded
    assert to_take_back(site.context, tenant()) is None


def test_an_upgrade_that_got_no_answer_and_was_done_is_taken_back_from_its_own_backup(tmp_path):
    site = Site(tmp_path)
    site.hosts.say = lambda action: "lost" if action.name == "upgrade" else ""
    with pytest.raises(Exception, match="the answer was lost"):
        upgrade(site.context, tenant())
    assert site.hosts.runs["aldgate"] == AFTER
    assert to_take_back(site.context, tenant()).name == "aldgate-0"


def test_an_upgrade_whose_backup_took_too_long_does_not_begin(tmp_path):
    site = Site(tmp_path)

    def held() -> None:
        raise RolloutHeld("its window is over")

    with pytest.raises(RolloutHeld):
        upgrade(site.context, tenant(), held)
    assert ([each.name for each in site.hosts.called][-1], site.done()) == ("backup", 0)
    assert site.platform.repair("aldgate") is False
