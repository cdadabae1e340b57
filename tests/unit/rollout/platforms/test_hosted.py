"""What a host said, what it did, and what is made of the difference."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from ringgate.rollout.lease import LeaseTaken
from ringgate.rollout.platforms.answers import HostAnswer
from ringgate.rollout.platforms.attempts import AttemptBook
from ringgate.rollout.platforms.hosted import HostedPlatform
from ringgate.rollout.platforms.protocol import UpgradeRefused
from ringgate.rollout.platforms.registry import PlatformError
from tests.support.hosts import AFTER, BEFORE, StubHosts
from tests.support.samples import tenant

NO_PARTS = lambda _: nullcontext()  # noqa: E731


class Plan:
    """How the host behaves: for each action, one word for each time it is asked."""

    def __init__(self, **words: str) -> None:
        self.left = {name: said.split() for name, said in words.items()}

    def __call__(self, action) -> str:
        left = self.left.get(action.name, [])
        said = left.pop(0) if left else ""
        return "" if said == "well" else said


@pytest.fixture
def made(tmp_path):
    def make(hosts: StubHosts) -> HostedPlatform:
        return HostedPlatform(hosts, [tenant()], AttemptBook(tmp_path), sleep=lambda _: None)

    return make


def test_an_upgrade_is_known_by_its_status_and_by_what_it_would_be_taken_back_to(made):
    hosts = StubHosts()
    platform = made(hosts)
    backup = platform.upgrade("aldgate", AFTER, (), NO_PARTS)
    assert (platform.series("aldgate"), platform.upgraded_from("aldgate")) == (AFTER, backup)
    platform.roll_back("aldgate", backup.name)
    assert (platform.series("aldgate"), platform.upgraded_from("aldgate")) == (BEFORE, None)


def test_what_is_under_way_is_waited_for_before_anything_is_begun(made):
    hosts = StubHosts()
    hosts.busy["aldgate"] = 3
    made(hosts).upgrade("aldgate", AFTER, (), NO_PARTS)
    assert [each.name for each in hosts.called[:5]] == ["status"] * 4 + ["backup"]


@pytest.mark.parametrize(
    ("said", "at", "rolled_back"), [("refuse", "upgrade", 0), ("lie", "status", 0)], ids=["refused", "a lie"]
)
def test_what_was_not_done_leaves_the_tenant_as_it_was(made, said, at, rolled_back):
    hosts = StubHosts(Plan(upgrade=said))
    platform = made(hosts)
    with pytest.raises(UpgradeRefused) as raised:
        platform.upgrade("aldgate", AFTER, (), NO_PARTS)
    assert raised.value.at == at
    assert (hosts.runs.get("aldgate", BEFORE), hosts.done["roll_back", "aldgate"]) == (BEFORE, rolled_back)
    assert not platform.repair("aldgate")


def test_a_refusal_halfway_is_rolled_back(made):
    hosts = StubHosts(Plan(upgrade="half refuse"))
    platform = made(hosts)
    with pytest.raises(PlatformError, match="the connection broke"):
        platform.upgrade("aldgate", AFTER, (), NO_PARTS)
    with pytest.raises(UpgradeRefused):
        platform.upgrade("aldgate", AFTER, (), NO_PARTS)
    assert (hosts.runs["aldgate"], hosts.done["roll_back", "aldgate"]) == (BEFORE, 1)


@pytest.mark.parametrize("lost", ["unreachable", "lost"])
def test_an_answer_that_was_lost_is_asked_for_with_the_same_key(made, lost):
    hosts = StubHosts(Plan(upgrade=lost))
    with pytest.raises(PlatformError):
        made(hosts).upgrade("aldgate", AFTER, (), NO_PARTS)
    backup = made(hosts).upgrade("aldgate", AFTER, (), NO_PARTS)  # another process
    assert (hosts.done["upgrade", "aldgate"], hosts.done["backup", "aldgate"]) == (1, 1)
    assert backup.name == "aldgate-0"
    asked = [each for each in hosts.called if each.name == "upgrade"]
    assert len({each.key for each in asked}) == 1
    assert len({each.attempt for each in asked}) == len(asked)


def test_one_that_was_cut_off_halfway_is_repaired_and_one_that_ended_alone_is_kept(made):
    hosts = StubHosts(Plan(upgrade="half"))
    with pytest.raises(PlatformError):
        made(hosts).upgrade("aldgate", AFTER, (), NO_PARTS)
    assert made(hosts).repair("aldgate")
    assert hosts.runs["aldgate"] == BEFORE
    assert not made(hosts).repair("aldgate")

    hosts.say = Plan(upgrade="lost")
    with pytest.raises(PlatformError):
        made(hosts).upgrade("aldgate", AFTER, (), NO_PARTS)
    assert not made(hosts).repair("aldgate")
    assert (hosts.runs["aldgate"], made(hosts).upgraded_from("aldgate").name) == (AFTER, "aldgate-1")


def test_a_rollback_that_did_nothing_is_no_rollback(made):
    hosts = StubHosts(Plan(roll_back="lie"))
    platform = made(hosts)
    backup = platform.upgrade("aldgate", AFTER, (), NO_PARTS)
    with pytest.raises(PlatformError, match=r"the status says 8\.0, not 7\.0"):
        platform.roll_back("aldgate", backup.name)
    assert made(hosts).repair("aldgate")  # it is pending, and done at the next start
    assert hosts.runs["aldgate"] == BEFORE


def test_a_copy_is_removed_and_one_that_could_not_be_is_removed_later(made):
    hosts = StubHosts(Plan(remove_beside="unreachable"))
    platform = made(hosts)
    name = platform.backup("aldgate").name
    with platform.beside("aldgate", name) as copy:
        assert hosts.copies == {copy.api.rsplit("/", 1)[1]}
    assert hosts.copies
    platform.repair("aldgate")
    assert not hosts.copies


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "the answer must be JSON, and there was none"),
        ({"series": "8.0", "tenant": "kyoto"}, "the status is of kyoto, asked was aldgate"),
        ({"series": 8, "busy": "perhaps"}, "series: .*; busy: "),
        (
            {"series": "8.0", "observed_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat()},
            r"was observed 3\d\d\d s before it was asked for",
        ),
    ],
    ids=["nothing", "of another", "of another shape", "old"],
)
def test_a_status_that_proves_nothing_is_none(made, answer, says):
    hosts = StubHosts()
    hosts.call = lambda _: HostAnswer(answer, "aldgate: status")
    with pytest.raises(PlatformError, match=says):
        made(hosts).series("aldgate")


def test_a_status_says_what_is_installed_by_digest(made):
    hosts, digest = StubHosts(), "sha256:" + "0" * 64
    hosts.call = lambda _: HostAnswer({"series": "8.0", "artefacts": {"erp-image": digest}}, "aldgate: status")
    assert made(hosts).artefacts("aldgate") == {"erp-image": digest}
    hosts.call = lambda _: HostAnswer({"series": "8.0", "artefacts": {"erp-image": "latest"}}, "aldgate: status")
    with pytest.raises(PlatformError, match=r"artefacts\.erp-image: .*must be a digest"):
        made(hosts).artefacts("aldgate")


def test_who_refuses_to_say_how_a_tenant_is_is_no_evidence_against_it(made):
    with pytest.raises(PlatformError):
        made(StubHosts(Plan(status="refuse"))).series("aldgate")


def test_manual_steps_are_never_left_out_unnoticed(made):
    hosts = StubHosts()
    hosts.takes_steps = False
    with pytest.raises(PlatformError, match="the platform's upgrade does not take them"):
        made(hosts).upgrade("aldgate", AFTER, ("a step",), NO_PARTS)
    assert not hosts.called


def test_a_damaged_book_of_attempts_is_told_and_nothing_is_asked(made, tmp_path):
    (tmp_path / "aldgate.json").write_text("{")
    with pytest.raises(PlatformError, match=r"aldgate\.json .* cannot be read: it is damaged"):
        made(StubHosts()).upgrade("aldgate", AFTER, (), NO_PARTS)


def test_a_controller_whose_lease_was_taken_asks_hosts_for_nothing_more(made):
    def lost() -> None:
        raise LeaseTaken("this rollout is led by another controller now")

    hosts = StubHosts()
    platform = made(hosts)
    platform.led_by(3, lambda: None)
    backup = platform.upgrade("aldgate", AFTER, (), NO_PARTS)
    assert {each.lease for each in hosts.called if each.key} == {"3"}
    platform.led_by(3, lost)
    before = len([each for each in hosts.called if each.key])
    for change in (lambda: platform.backup("aldgate"), lambda: platform.roll_back("aldgate", backup.name)):
        with pytest.raises(LeaseTaken):
            change()
    assert len([each for each in hosts.called if each.key]) == before


def test_where_a_release_stays_in_its_series_the_status_does_not_say_that_it_was_done(made):
    hosts = StubHosts(Plan(upgrade="unreachable"))
    with pytest.raises(PlatformError):
        made(hosts).upgrade("aldgate", BEFORE, (), NO_PARTS)
    made(hosts).upgrade("aldgate", BEFORE, (), NO_PARTS)
    assert hosts.done["upgrade", "aldgate"] == 1
    hosts.say = Plan(upgrade="lost")
    with pytest.raises(PlatformError):
        made(hosts).upgrade("aldgate", BEFORE, (), NO_PARTS)
    assert made(hosts).repair("aldgate")  # how far it came nobody can tell, so it is taken back
    assert hosts.done["roll_back", "aldgate"] == 1


def test_a_way_back_whose_answer_was_lost_is_gone_on_with_and_the_next_upgrade_is_another_one(made):
    hosts = StubHosts(Plan(upgrade="half", roll_back="lost"))
    with pytest.raises(PlatformError):
        made(hosts).upgrade("aldgate", AFTER, (), NO_PARTS)
    with pytest.raises(PlatformError):
        made(hosts).repair("aldgate")
    made(hosts).upgrade("aldgate", AFTER, (), NO_PARTS)
    keys = [each.key for each in hosts.called if each.name == "upgrade"]
    assert (hosts.runs["aldgate"], hosts.done["roll_back", "aldgate"], len(set(keys))) == (AFTER, 1, 2)


def test_a_backup_whose_answer_was_lost_long_ago_is_taken_again(tmp_path):
    now = [datetime(2026, 11, 28, 12, tzinfo=UTC)]
    hosts = StubHosts(Plan(backup="lost"), clock=lambda: now[0])
    book = AttemptBook(tmp_path, lambda: now[0])
    platform = HostedPlatform(hosts, [tenant()], book, clock=lambda: now[0], sleep=lambda _: None)
    with pytest.raises(PlatformError):
        platform.backup("aldgate")
    assert platform.backup("aldgate").name == "aldgate-0"  # the same one, moments later
    hosts.say = Plan(backup="lost")
    with pytest.raises(PlatformError):
        platform.backup("aldgate")
    now[0] += timedelta(hours=4)
    assert platform.backup("aldgate").name == "aldgate-2"
