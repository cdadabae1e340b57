"""Who may let a ring be opened; and every way round it, each refused with its reason."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ringgate.evidence import EvidenceEntry, EvidenceKind
from ringgate.evidence.canonical import plain
from ringgate.evidence.entry import FIRST
from ringgate.evidence.signing import SigningKey
from ringgate.rollout.approval_tables import ApprovalsTable, check_approvals
from ringgate.rollout.approval_wait import authors_of
from ringgate.rollout.approvals import (
    ApprovalInvolved,
    ApprovalRefused,
    ApprovalState,
    ApprovalSubject,
    approve,
    decide_roll_back,
    involved_in,
    judge_approvals,
    verdict_before,
)
from tests.unit.rollout.test_evidence import BY

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
GRACE, GRACES_OTHER, LINUS, BARBARA, STRANGER = (SigningKey.new() for _ in range(5))
TABLE = ApprovalsTable.model_validate(
    {
        "author": "ada", "rings": ["early"], "valid": "8 h",
        "roles": [
            {"name": "release-manager", "quorum": 2, "people": [
                {"name": "grace", "accounts": ["ghopper"], "keys": [GRACE.public.line, GRACES_OTHER.public.line]},
                {"name": "linus", "keys": [LINUS.public.line]},
            ]},
            {"name": "finance", "people": [
                {"name": "barbara", "keys": [BARBARA.public.line]}, {"name": "grace", "keys": [GRACE.public.line]},
            ]},
        ],
    }
)  # fmt: skip
SUBJECT = ApprovalSubject("tryton-8-0", "early", "s1", "a" * 64, "b" * 64, "c" * 64)


def given(
    key: SigningKey, number: int = 1, *, subject: ApprovalSubject = SUBJECT, at: datetime = NOON, role: str = "",
    table: ApprovalsTable = TABLE,
) -> EvidenceEntry:  # fmt: skip
    new = approve(table, subject, key, at, role=role)
    return EvidenceEntry(number, FIRST, at, new.kind, new.key, new.release, new.ring, BY, plain(new.body))


def judged(*entries: EvidenceEntry, involved: ApprovalInvolved | None = None, subject: ApprovalSubject = SUBJECT,
           now: datetime = NOON) -> ApprovalState:  # fmt: skip
    return judge_approvals(TABLE, subject, entries, involved or ApprovalInvolved(), now)


def refusal(*entries: EvidenceEntry, **words: Any) -> str:
    """Of the one that is refused."""
    state = judged(*entries, **words)
    assert not state.complete
    (found,) = state.refused
    return found.split(": ", 1)[1]


def forged(entry: EvidenceEntry, **changes: object) -> EvidenceEntry:
    """Somebody edits the store: the payload says something else."""
    envelope = dict(entry.body["envelope"])
    said = json.loads(base64.b64decode(envelope["payload"]))
    said["predicate"].update(changes)
    envelope["payload"] = base64.b64encode(json.dumps(said).encode()).decode()
    return replace(entry, body={**entry.body, "envelope": envelope})


def test_a_ring_is_opened_when_every_role_has_its_quorum() -> None:
    state = judged(given(GRACE, 1, role="release-manager"), given(LINUS, 2), given(BARBARA, 3))
    assert state.complete
    assert state.given == {"release-manager": ["grace", "linus"], "finance": ["barbara"]}
    assert state.refused == []


def test_what_is_missing_is_said() -> None:
    assert judged().missing == ["2 of release-manager (grace, linus)", "1 of finance (barbara, grace)"]
    assert judged(given(LINUS)).missing == ["1 of release-manager (grace)", "1 of finance (barbara, grace)"]


def test_the_author_may_not_approve() -> None:
    for name in ("Linus", "linus"):
        involved = ApprovalInvolved(authors={name})
        assert refusal(given(LINUS), involved=involved) == "linus wrote the release, and may not approve it"


def test_an_author_is_known_by_any_of_their_accounts() -> None:
    involved = ApprovalInvolved(authors={"GHopper"})
    assert refusal(given(GRACE), involved=involved) == "grace wrote the release, and may not approve it"


def test_who_deploys_may_not_approve() -> None:
    involved = ApprovalInvolved(deployers={"ghopper"})
    assert refusal(given(GRACE), involved=involved) == "grace deploys it, and may not approve it"


def test_who_waived_something_may_not_approve() -> None:
    involved = ApprovalInvolved(waivers={"barbara"})
    assert refusal(given(BARBARA), involved=involved) == "barbara waived something of it, and may not approve it"


def test_the_same_person_counts_once() -> None:
    twice = given(LINUS, 1), given(LINUS, 2, at=NOON + timedelta(seconds=1))
    assert refusal(*twice, now=NOON + timedelta(minutes=1)) == "linus has approved already, and counts once"


def test_two_keys_of_one_person_in_one_role_count_once() -> None:
    both = given(GRACE, 1, role="release-manager"), given(GRACES_OTHER, 2, role="release-manager")
    assert refusal(*both) == "grace has approved already, and counts once"


def test_one_person_counts_once_in_all_roles() -> None:
    both = given(GRACE, 1, role="release-manager"), given(GRACE, 2, role="finance")
    assert refusal(*both) == "grace has approved already, and counts once"


def test_an_approval_ends() -> None:
    assert judged(given(LINUS), now=NOON + timedelta(hours=7, minutes=59)).refused == []
    assert refusal(given(LINUS), now=NOON + timedelta(hours=8)) == "it ended at 2026-11-28 20:00 UTC"


def test_who_approved_before_and_it_ended_may_approve_again() -> None:
    later = NOON + timedelta(hours=9)
    state = judged(given(LINUS), given(LINUS, 2, at=later), now=later)
    assert state.given["release-manager"] == ["linus"]


def test_an_approval_does_not_last_longer_than_the_release_lets() -> None:
    longer = TABLE.model_copy(update={"valid": timedelta(days=900)})
    assert "which the release does not let" in refusal(given(LINUS, table=longer))
    assert "which the release does not let" in refusal(given(LINUS, at=NOON + timedelta(hours=2)))


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"release_digest": "d" * 64}, "release tryton-8-0"),
        ({"inventory_digest": "d" * 64}, "inventory of early"),
        ({"verdict_digest": "d" * 64}, "verdict on the ring before"),
        ({"verdict_digest": ""}, "verdict on the ring before"),
    ],
)
def test_what_changed_after_makes_it_void(changed: dict[str, str], what: str) -> None:
    now = replace(SUBJECT, **changed)
    assert refusal(given(LINUS), subject=now) == f"{what} changed after linus approved"


def test_an_approval_of_another_rollout_ring_or_release_is_not_played_again() -> None:
    of = {
        "it was given to another rollout (s0)": replace(SUBJECT, session="s0"),
        "it is for ring canary, and not for early": replace(SUBJECT, ring="canary"),
        "it is of other, and not of tryton-8-0": replace(SUBJECT, release="other"),
    }
    assert {refusal(given(LINUS, subject=subject)) for subject in of.values()} == set(of)


def test_a_strangers_key_is_nobodys() -> None:
    with pytest.raises(ApprovalRefused, match="is nobody's who may approve tryton-8-0"):
        given(STRANGER)
    entry = given(LINUS)
    own = replace(entry, body={**entry.body, "key": STRANGER.public.line})
    assert refusal(own).endswith("is nobody's who may approve")


def test_a_role_that_somebody_has_not_is_refused() -> None:
    with pytest.raises(ApprovalRefused, match="linus has not the role finance, but release-manager"):
        given(LINUS, role="finance")
    other = TABLE.model_copy(update={"roles": (TABLE.roles[0].model_copy(update={"name": "board"}),)})
    assert refusal(given(LINUS, table=other)) == "linus has not the role board"


@pytest.mark.parametrize(
    "change",
    [
        {"ring": "broad"},
        {"role": "finance"},
        {"ends": "2030-01-01T00:00:00.000000Z"},
        {"session": "s9"},
        {"person": "x"},
    ],
)
def test_a_store_that_was_edited_is_refused(change: dict[str, object]) -> None:
    told = refusal(forged(given(LINUS), **change))
    assert told == "it was changed after it was signed, or somebody else signed it"


def test_a_signature_of_somebody_else_is_refused() -> None:
    entry = given(LINUS)
    own = {**entry.body["envelope"], "signatures": given(BARBARA).body["envelope"]["signatures"]}
    assert refusal(replace(entry, body={**entry.body, "envelope": own})) == "it is signed with another key"


@pytest.mark.parametrize(
    "body", [{}, {"key": 7}, {"key": LINUS.public.line}, {"key": LINUS.public.line, "envelope": []}]
)
def test_what_is_no_approval_is_refused(body: dict[str, object]) -> None:
    assert refusal(replace(given(LINUS), body=body)).startswith("it ")


def test_a_release_that_was_changed_by_hand_is_approved_by_its_words() -> None:
    subject = replace(SUBJECT, release_digest="abc without 7.6")
    assert judged(given(LINUS, subject=subject), subject=subject).refused == []
    assert refusal(given(LINUS), subject=subject) == "release tryton-8-0 changed after linus approved"


def test_whoever_had_a_hand_in_a_release_is_known_by_its_evidence() -> None:
    def entry(number: int, kind: EvidenceKind, body: dict[str, object], user: str = "root") -> EvidenceEntry:
        return EvidenceEntry(number, FIRST, NOON, kind, f"k{number}", "r", "canary", replace(BY, user=user), body)

    entries = [
        entry(1, EvidenceKind.START, {"session": "s0"}, "old"),
        entry(2, EvidenceKind.START, {"session": "s1"}, "ops"),
        entry(3, EvidenceKind.DEPLOYMENT, {"by": "argo"}, "ci"),
        entry(4, EvidenceKind.WAIVER, {"waiver": {"owner": "cfo"}}),
        entry(5, EvidenceKind.VERDICT, {"session": "s1"}),
        entry(6, EvidenceKind.VERDICT, {"session": "s0"}),
    ]
    found = involved_in(entries, "s1", {"ada"}, {"qa"})
    assert (found.authors, found.deployers, found.waivers) == ({"ada"}, {"ops", "argo", "ci"}, {"cfo", "qa"})
    assert verdict_before(entries, "s1", "canary") == entries[4].digest
    assert verdict_before(entries, "s1", "early") == ""


def test_whoever_committed_to_the_release_is_its_author(tmp_path) -> None:
    file = tmp_path / "release.toml"
    file.write_text("x = 1")
    assert authors_of(file) == set()
    for words in (["init", "-q"], ["add", "release.toml"],
                  ["-c", "user.name=Linus T", "-c", "user.email=linus@example.com", "commit", "-qm", "x"]):  # fmt: skip
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    assert authors_of(file) == {"Linus T", "linus@example.com"}


def test_every_mistake_of_the_table_is_told_at_once() -> None:
    people = [
        {"name": "grace", "keys": [GRACE.public.line + " grace@x"]},
        {"name": "linus", "keys": [GRACE.public.line]},
    ]
    found = check_approvals("r.toml", {
        "rings": ["erly"], "roles": [{"name": "a", "quorum": 3, "people": people}, {"name": "a", "people": []}],
    }, ["canary", "early"])  # fmt: skip
    assert sorted((each.key, each.rule) for each in found) == [
        ("approvals.rings[0]", "is not a ring; did you mean early?"),
        ("approvals.roles", "two roles must not have the same name"),
        ("approvals.roles[0].people[1].keys[0]", "is grace's: nobody approves for another"),
        ("approvals.roles[0].quorum", "is more than the 2 people who have this role: it could never be approved"),
    ]


def test_a_rollback_is_decided_by_whom_the_release_names():
    grace, linus = SigningKey.new(), SigningKey.new()
    table = ApprovalsTable.model_validate(
        {"author": "ada", "rings": ["early"], "roll_back": ["on-call"], "roles": [
            {"name": "release-manager", "people": [{"name": "linus", "keys": [linus.public.line]}]},
            {"name": "on-call", "people": [{"name": "grace", "keys": [grace.public.line]}]},
        ]}
    )  # fmt: skip
    noted = decide_roll_back(table, "r", "a" * 64, "s1", grace, NOON)
    assert (noted.body["person"], noted.body["role"], noted.ring) == ("grace", "on-call", "roll back")
    assert b'"ring":"roll back"' in grace.public.verify(noted.body["envelope"])
    for key, words in ((linus, "is linus's, who may not decide"), (SigningKey.new(), "is nobody's")):
        with pytest.raises(ApprovalRefused, match=words):
            decide_roll_back(table, "r", "a" * 64, "s1", key, NOON)
    wrong = check_approvals("f", {"roll_back": ["oncall"], "roles": [{"name": "on-call"}]}, ["early"])
    assert [each.key for each in wrong] == ["approvals.roll_back[0]"]
