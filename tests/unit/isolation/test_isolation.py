"""What an attempt came to, and what follows from all of them. The people here are puppets; no ERP is asked."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field

import pytest

from ringgate.domain.documents import Ref
from ringgate.domain.errors import OurSideError
from ringgate.isolation.comparison import judge_attempt
from ringgate.isolation.model import Attempt, Came, Thing, Way
from ringgate.isolation.texts import named_in, text_of
from ringgate.scenario.expectations import ExpectationFailed, expect_isolation

THING = Thing(Ref("invoice", "7"), ("RG-abc-1", "Aldgate Ltd"), made=True)


@pytest.mark.parametrize(
    ("way", "barred", "refused_by", "error", "answer", "came"),
    [
        (Way.READ, True, "401", "", "", Came.REFUSED),
        (Way.READ, True, "404", "", "", Came.REFUSED),
        (Way.READ, True, "", "", "", Came.ACCEPTED),
        (Way.READ, True, "", "", "Somebody Else", Came.ACCEPTED),
        (Way.READ, True, "", "not allowed", "", Came.ACCEPTED),
        (Way.READ, True, "", "", "about RG-abc-1", Came.DISCLOSED),
        (Way.READ, True, "", "Aldgate Ltd does not want you", "", Came.DISCLOSED),
        (Way.READ, False, "", "", "Somebody Else", Came.NOTHING),
        (Way.READ, False, "", "not allowed", "", Came.REFUSED),
        (Way.SEARCH, False, "", "", "invoice of Aldgate Ltd", Came.DISCLOSED),
        (Way.REPORT, False, "401", "", "", Came.REFUSED),
        (Way.WRITE, True, "", "", "", Came.CHANGED),
        (Way.WRITE, True, "401", "", "", Came.REFUSED),
        (Way.WRITE, True, "", "not allowed", "", Came.ACCEPTED),
    ],
)
def test_what_an_answer_comes_to(way, barred, refused_by, error, answer, came):
    attempt = judge_attempt(way, [THING], barred=barred, refused_by=refused_by, error=error, answer=answer)
    assert attempt.came is came
    assert attempt.leaks is (came in (Came.ACCEPTED, Came.DISCLOSED, Came.CHANGED))


def test_an_attempt_says_what_was_shown():
    attempt = judge_attempt(Way.EXPORT, [THING], barred=False, answer="x RG-abc-1")
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
    ways: frozenset[Way] = frozenset(Way)
    answers: dict[Way, str] = field(default_factory=dict)
    tried: list[Way] = field(default_factory=list)

    def attempt(self, way, things) -> Attempt:
        self.tried.append(way)
        refused_by = "" if way in self.answers else "401"
        return judge_attempt(way, things, barred=self.barred, refused_by=refused_by, answer=self.answers.get(way, ""))


def insider():
    return Puppet("insider", barred=False, answers=dict.fromkeys(Way, "RG-abc-1 of Aldgate Ltd"))


def test_refused_everywhere_is_isolated():
    outsider = Puppet()
    assert expect_isolation(insider(), [outsider], [THING], because="x") == len(Way)
    assert set(outsider.tried) == set(Way)


@pytest.mark.parametrize("way", Way)
def test_a_leak_in_any_way_is_told_with_who_and_what(way):
    leaky = Puppet("the stranger", answers={way: "RG-abc-1"})
    with pytest.raises(ExpectationFailed, match=f"the stranger: {way} of invoice 7"):
        expect_isolation(insider(), [Puppet(), leaky], [THING], because="it is ours")


def test_who_was_let_in_changes_nothing():
    leaky = Puppet(answers={Way.READ: "RG-abc-1", Way.WRITE: ""})
    with pytest.raises(ExpectationFailed):
        expect_isolation(insider(), [leaky], [THING], because="it is ours")
    assert Way.WRITE not in leaky.tried


def test_many_leaks_are_counted():
    with pytest.raises(ExpectationFailed, match="and 1 more"):
        expect_isolation(insider(), [Puppet(answers={Way.READ: ""}) for _ in range(6)], [THING], because="x")


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

    changed = Fickle("insider", barred=False, answers=dict.fromkeys(Way, "RG-abc-1"))
    with pytest.raises(ExpectationFailed, match="what outsiders left"):
        expect_isolation(changed, [Puppet()], [THING], because="x")


def test_what_others_do_meanwhile_is_nothing_that_outsiders_left():
    class Busy(Puppet):
        def attempt(self, way, things) -> Attempt:
            self.answers[way] += " and another" if way is Way.SEARCH and way in self.tried else ""
            return super().attempt(way, things)

    busy = Busy("insider", barred=False, answers=dict.fromkeys(Way, "RG-abc-1"))
    assert expect_isolation(busy, [Puppet()], [THING], because="x") == len(Way)


def test_guesses_are_read_and_exported_and_need_not_be_there():
    guess = Thing(Ref("posting", "99"), ("Aldgate Ltd",))
    leaky = Puppet(barred=False, answers={Way.EXPORT: "made up for Aldgate Ltd"})
    with pytest.raises(ExpectationFailed, match="export of posting 99"):
        expect_isolation(insider(), [leaky], [THING], guesses=[guess], because="x")
