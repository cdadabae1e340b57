"""What the rule of one key cannot see: keys of a tenant that must agree with each other, whichever files they are from.

Works on the merged values as they were written, so that other mistakes do not hide these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringgate.domain.terms import Channel, Role

Complaint = tuple[tuple[str | int, ...], str, str]
"""Path of the key, the rule in words, and the value as written ("" where it is none or could be a secret)."""


def disagreements(values: Mapping[str, Any]) -> Iterator[Complaint]:
    """Everything in which the values of a whole tenant do not fit together."""
    for key, other in (("paused_until", "paused_reason"), ("paused_reason", "paused_until")):
        if values.get(key) and not values.get(other):
            yield (other,), f"is required with {key}", ""
    users = values.get("users")
    users = users if isinstance(users, dict) else {}
    yield from _sign_in(users)
    policy = values.get("policy")
    approval = policy.get("approval") if isinstance(policy, dict) else None
    if isinstance(approval, dict):
        yield from _approvers(approval, users)


def _approvers(approval: Mapping[str, Any], users: Mapping[str, Any]) -> Iterator[Complaint]:
    """A chain has an approver of its own for each step, none of them who asks."""
    at = ("policy", "approval", "approvers")
    steps, approvers = approval.get("steps", 0), approval.get("approvers", [])
    if isinstance(steps, bool) or not isinstance(steps, int) or not isinstance(approvers, list):
        return  # its own rule tells
    if steps > 1 and not approvers:
        yield at, f"is required with steps = {steps}: the role of each step, in order", ""
    elif approvers and len(approvers) != steps:
        yield at, f"must name one role for each of the {steps} steps", ", ".join(map(str, approvers))
    for number, role in enumerate(approvers):
        if role in approvers[:number]:
            yield (*at, number), "is named twice: nobody approves the same request twice", str(role)
        elif role == Role.CONSULTANT:
            yield (*at, number), "asks for purchases: nobody approves their own request", str(role)
        elif role in list(Role) and role not in users:
            yield (*at, number), f"has no user: add [users.{role}]", str(role)


def _sign_in(users: Mapping[str, Any]) -> Iterator[Complaint]:
    """Whoever signs in has a password, or over a channel one of its own or a key."""
    for role, user in users.items():
        if not isinstance(user, dict):
            continue
        ways = [user.get(channel.value) for channel in Channel]
        own = [way for way in ways if isinstance(way, dict)]
        for channel, way in zip(Channel, ways, strict=True):
            if isinstance(way, dict) and "password" in way and "key" in way:
                yield ("users", role, channel.value), "must have a password or a key, not both", ""
        if "password" not in user and not any("password" in way or "key" in way for way in own):
            yield ("users", role, "password"), "is required", ""
