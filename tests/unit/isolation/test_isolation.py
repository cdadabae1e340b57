"""What an attempt came to, and what follows from all of them. The people here are puppets; no ERP is asked."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field

import pytest

from ringgate.domain.documents import Ref
from ringgate.domain.errors import OurSideError
from ringgate.isolation.comparison import judge_attempt
from ringgate.isolation.model import Attempt, AttemptKind, AttemptOutcome, PrivateRecord
from ringgate.isolation.texts import named_in, text_of
from ringgate.scenario.expectations import ExpectationFailed, expect_isolation

THING = PrivateRecord(Ref("invoice", "7"), ("RG-abc-1", "Aldgate Ltd"), made=True)


@pytest.mark.parametrize(
    ("way", "barred", "refused_by", "error", "answer", "came"),
    [
        (AttemptKind.READ, True, "401", "", "", AttemptOutcome.REFUSED),
        (AttemptKind.READ, True, "404", "", "", AttemptOutcome.REFUSED),
        (AttemptKind.READ, True, "", "", "", AttemptOutcome.ACCEPTED),
        (AttemptKind.READ, True, "", "", "Somebody Else", AttemptOutcome.ACCEPTED),
        (AttemptKind.READ, True, "", "not allowed", "", AttemptOutcome.ACCEPTED),
        (AttemptKind.READ, True, "", "", "about RG-abc-1", AttemptOutcome.DISCLOSED),
        (AttemptKind.READ, True, "", "Aldgate Ltd does not want you", "", AttemptOutcome.DISCLOSED),
        (AttemptKind.READ, False, "", "", "Somebody Else", AttemptOutcome.NOTHING),
        (AttemptKind.READ, False, "", "not allowed", "", AttemptOutcome.REFUSED),
        (AttemptKind.SEARCH, False, "", "", "invoice of Aldgate Ltd", AttemptOutcome.DISCLOSED),
        (AttemptKind.REPORT, False, "401", "", "", AttemptOutcome.REFUSED),
        (AttemptKind.WRITE, True, "", "", "", AttemptOutcome.CHANGED),
        (AttemptKind.WRITE, True, "401", "", "", AttemptOutcome.REFUSED),
        (AttemptKind.WRITE, True, "", "not allowed", "", AttemptOutcome.ACCEPTED),
    ],
)
def test_what_an_answer_comes_to(way, barred, refused_by, error, answer, came):
    attempt = judge_attempt(way, [THING], barred=barred, refused_by=refused_by, error=error, answer=answer)
    assert attempt.came is came
    assert attempt.leaks is (came in (AttemptOutcome.ACCEPTED, AttemptOutcome.DISCLOSED, AttemptOutcome.CHANGED))


def test_an_attempt_says_what_was_shown():
    attempt = judge_attempt(AttemptKind.EXPORT, [THING], barred=False, answer="x RG-abc-1")
    assert str(attempt) == 'export of invoice 7 disclosed "RG-abc-1"'


def test_texts_are_found_at_any_depth_and_in_packed_documents():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("content.xml", "<p>RG-abc-1</p>")
    assert "RG-abc-1" in text_of(["odt", packed.getvalue(), False, None])
    assert "deep" in text_of([{"a": [{"b": "deep"}]}])
    assert "plain" in text_of(b"plain")
    assert text_of(b"PK but no archive") == "PK but no archive"


def test_names_are_words_of_their_own():
    assert named_in("tenants: Bolt, acme-two.", {"bolt", "acme", "acme-two"}) == ("acme-two", "bolt")


@dataclass
class Puppet:
    """Answers each way as told; what is not told is refused."""

    name: str = "puppet"
    barred: bool = True
    ways: frozenset[AttemptKind] = frozenset(AttemptKind)
    answers: dict[AttemptKind, str] = field(default_factory=dict)
    tried: list[AttemptKind] = field(default_factory=list)

    def attempt(self, way, things) -> Attempt:
        self.tried.append(way)
        refused_by = "" if way in self.answers else "401"
        return judge_attempt(way, things, barred=self.barred, refused_by=refused_by, answer=self.answers.get(way, ""))


def insider():
    return Puppet("insider", barred=False, answers=dict.fromkeys(AttemptKind, "RG-abc-1 of Aldgate Ltd"))


def test_refused_everywhere_is_isolated():
    outsider = Puppet()
    assert expect_isolation(insider(), [outsider], [THING], because="x") == len(AttemptKind)
    assert set(outsider.tried) == set(AttemptKind)


@pytest.mark.parametrize("way", AttemptKind)
def test_a_leak_in_any_way_is_told_with_who_and_what(way):
    leaky = Puppet("the stranger", answers={way: "RG-abc-1"})
    with pytest.raises(ExpectationFailed, match=f"the stranger: {way} of invoice 7"):
        expect_isolation(insider(), [Puppet(), leaky], [THING], because="it is ours")


def test_who_was_let_in_changes_nothing():
    leaky = Puppet(answers={AttemptKind.READ: "RG-abc-1", AttemptKind.WRITE: ""})
    with pytest.raises(ExpectationFailed):
        expect_isolation(insider(), [leaky], [THING], because="it is ours")
    assert AttemptKind.WRITE not in leaky.tried


def test_many_leaks_are_counted():
    with pytest.raises(ExpectationFailed, match="and 1 more"):
        expect_isolation(insider(), [Puppet(answers={AttemptKind.READ: ""}) for _ in range(6)], [THING], because="x")


def test_nothing_is_shown_by_refusals_if_the_insider_is_refused_too():
    with pytest.raises(ExpectationFailed, match="read of invoice 7"):
        expect_isolation(Puppet("insider", barred=False), [Puppet()], [THING], because="x")


def test_nobody_who_tries_is_no_proof():
    with pytest.raises(OurSideError, match="proves nothing"):
        expect_isolation(insider(), [], [THING], because="x")


def test_what_was_changed_in_silence_is_noticed():
    class Fickle(Puppet):
        def attempt(self, way, things) -> Attempt:
            self.answers[way] += " still" if way in self.tried else ""
            return super().attempt(way, things)

    changed = Fickle("insider", barred=False, answers=dict.fromkeys(AttemptKind, "RG-abc-1"))
    with pytest.raises(ExpectationFailed, match="what outsiders left"):
        expect_isolation(changed, [Puppet()], [THING], because="x")


def test_what_others_do_meanwhile_is_nothing_that_outsiders_left():
    class Busy(Puppet):
        def attempt(self, way, things) -> Attempt:
            self.answers[way] += " and another" if way is AttemptKind.SEARCH and way in self.tried else ""
            return super().attempt(way, things)

    busy = Busy("insider", barred=False, answers=dict.fromkeys(AttemptKind, "RG-abc-1"))
    assert expect_isolation(busy, [Puppet()], [THING], because="x") == len(AttemptKind)


def test_guesses_are_read_and_exported_and_need_not_be_there():
    guess = PrivateRecord(Ref("posting", "99"), ("Aldgate Ltd",))
    leaky = Puppet(barred=False, answers={AttemptKind.EXPORT: "made up for Aldgate Ltd"})
    with pytest.raises(ExpectationFailed, match="export of posting 99"):
        expect_isolation(insider(), [leaky], [THING], guesses=[guess], because="x")
