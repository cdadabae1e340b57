"""What a release says about its approvals: `[approvals]`, with who may approve by role, and how many of them must."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from ringgate.evidence.signing import KeyUnusable, VerifyingKey
from ringgate.inventory.files import Problem, nearest
from ringgate.inventory.kinds import Duration, Name, Slug, StrictTable


def _key(value: str) -> str:
    try:
        return VerifyingKey.read(value).line
    except KeyUnusable as error:
        raise ValueError(str(error)) from None


PublicKey = Annotated[str, AfterValidator(_key)]


class ApproverTable(StrictTable):
    name: Name = Field(description="Who it is; the same person has the same name in every role.", examples=["grace"])
    accounts: tuple[Name, ...] = Field(
        (),
        description="Under which names they also write, deploy and waive: users of hosts and CI, mail addresses.",
        examples=[["ghopper", "grace@example.com"]],
    )
    keys: Annotated[tuple[PublicKey, ...], Field(min_length=1)] = Field(
        description="Their public Ed25519 keys, each as a line of OpenSSH's.", examples=[["ssh-ed25519 AAAA..."]]
    )

    @property
    def names(self) -> frozenset[str]:
        """All their names, without regard to case."""
        return frozenset(each.casefold() for each in (self.name, *self.accounts))


class ApproverRoleTable(StrictTable):
    name: Slug = Field(description="What approves: a role of the firm's.", examples=["release-manager"])
    quorum: int = Field(1, ge=1, strict=True, description="How many of them must approve.", examples=[2])
    people: Annotated[tuple[ApproverTable, ...], Field(min_length=1)] = Field(description="Who has this role.")


class ApprovalsTable(StrictTable):
    author: Name = Field(description="Who wrote the release: they may not approve it.", examples=["ada"])
    rings: Annotated[tuple[Slug, ...], Field(min_length=1)] = Field(
        description="The rings that are not opened without approval; activation, for switching features on.",
        examples=[["early", "broad"]],
    )
    valid: Duration = Field("24 h", validate_default=True, description="How long an approval holds.", examples=["8 h"])
    wait: Duration = Field(
        "24 h", validate_default=True, description="How long a rollout waits for approvals before it ends; the same "
        "command goes on with it.", examples=["72 h"],
    )  # fmt: skip
    roll_back: tuple[Slug, ...] = Field(
        (), description="Roles of which one person decides, by their own key, that everything is taken back "
        "[default: whoever can start the command].", examples=[["release-manager"]],
    )  # fmt: skip
    roles: Annotated[tuple[ApproverRoleTable, ...], Field(min_length=1)] = Field(description="Who must approve.")

    def of_key(self, fingerprint: str) -> ApproverTable | None:
        """Whose key it is."""
        return next(
            (each for role in self.roles for each in role.people
             if fingerprint in {VerifyingKey(line).fingerprint for line in each.keys}), None,
        )  # fmt: skip

    def roles_of(self, person: str) -> list[str]:
        return [role.name for role in self.roles if person in {each.name for each in role.people}]


def check_approvals(file: str, given: object, rings: Sequence[str]) -> list[Problem]:
    """What the rule of a single key cannot see. Works on raw values."""
    if not isinstance(given, Mapping):
        return []
    found = []
    listed = given.get("rings")
    for index, ring in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(ring, str) and ring not in rings:
            found.append(Problem(file, f"approvals.rings[{index}]", f"is not a ring{nearest(ring, rings)}", ring))
    owners: dict[str, str] = {}
    roles = _tables(given.get("roles"))
    names = [each.get("name") for each in roles]
    deciding = given.get("roll_back")
    for index, role in enumerate(deciding if isinstance(deciding, list) else []):
        if isinstance(role, str) and role not in names:
            near = nearest(role, [str(each) for each in names])
            found.append(Problem(file, f"approvals.roll_back[{index}]", f"is no role of these approvals{near}", role))
    for name in sorted({str(each) for each in names if names.count(each) > 1}):
        found.append(Problem(file, "approvals.roles", "two roles must not have the same name", f'"{name}"'))
    for number, role in enumerate(roles):
        at, people = f"approvals.roles[{number}]", _tables(role.get("people"))
        quorum, different = role.get("quorum", 1), {str(each.get("name")) for each in people}
        if isinstance(quorum, int) and people and quorum > len(different):
            rule = f"is more than the {len(different)} people who have this role: it could never be approved"
            found.append(Problem(file, f"{at}.quorum", rule, str(quorum)))
        for place, person in enumerate(people):
            found += _check_person(file, f"{at}.people[{place}]", person, owners)
    return found


def _check_person(file: str, at: str, person: Mapping[str, object], owners: dict[str, str]) -> list[Problem]:
    """No key and no account is of two people."""
    name, found = str(person.get("name")), []
    for kind in ("keys", "accounts"):
        values = person.get(kind)
        for index, value in enumerate(values if isinstance(values, list) else []):
            mark = " ".join(value.split()[:2]) if kind == "keys" and isinstance(value, str) else str(value).casefold()
            if owners.setdefault(mark, name) != name:
                rule = f"is {owners[mark]}'s: nobody approves for another"
                found.append(Problem(file, f"{at}.{kind}[{index}]", rule, str(value)[:40]))
    return found


def _tables(value: object) -> list[Mapping[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
