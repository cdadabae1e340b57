"""A driver that leaves parts out is not called for them; if it is, it is our side that is told so in one sentence."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ringgate.domain.errors import Refused
from ringgate.domain.terms import Basis, Capability, Channel
from ringgate.drivers.parts import PARTS, Unsupported, whole
from ringgate.drivers.protocol import Call
from ringgate.drivers.registry import driver_class, lacking, why_not
from tests.support.samples import tenant

CALL = Call("abc", "0" * 32)


class TimeOnly:
    """Signs in and enters time; has no books, no undo, no surface, no outsiders and no evidence."""

    channel = Channel.API
    capabilities = frozenset({Capability.SIGN_IN, Capability.TIME})
    closed = False

    def connect(self, *_: Any) -> Any:
        return SimpleNamespace(sign_in=lambda role: role, calls=3, touched=frozenset({"x"}))

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("method", "capability"), [(method, part.value) for part, methods in PARTS.items() for method in methods]
)
def test_a_part_that_was_left_out_is_our_side_and_says_which(method, capability):
    connection = whole(TimeOnly()).connect(tenant(), CALL)
    with pytest.raises(Unsupported, match=f"api driver for sample does not have '{capability}'"):
        getattr(connection, method)("whatever")


def test_what_it_has_is_its_own():
    behind = TimeOnly()
    driver = whole(behind)
    connection = driver.connect(tenant(), CALL)
    assert (connection.sign_in("r"), connection.calls, connection.touched) == ("r", 3, {"x"})
    assert (driver.channel, driver.capabilities) == (Channel.API, TimeOnly.capabilities)
    driver.close()
    assert behind.closed


def test_evidence_is_a_help_that_may_be_left_out(tmp_path):
    connection = whole(TimeOnly()).connect(tenant(), CALL)
    assert connection.evidence(tmp_path) == ()
    assert connection.basis_of(Refused("post_invoice", "no", basis=Basis.RIGHTS)) is Basis.RIGHTS


def test_a_driver_with_every_part_is_handed_out_as_it_is():
    class Full(TimeOnly):
        capabilities = TimeOnly.capabilities | frozenset(PARTS)

    full = Full()
    assert whole(full) is full


def test_what_is_lacking_is_told_in_words():
    able = TimeOnly.capabilities
    assert lacking([Capability.TIME], tenant(), Channel.API, able) == ""
    wanted = [Capability.SURFACE, Capability.BOOKS, Capability.TIME]
    assert lacking(wanted, tenant(), Channel.API, able) == "the api driver for sample cannot do books, surface"
    some = tenant(lacks=frozenset({Capability.TIME}))
    assert lacking([Capability.TIME], some, Channel.API, able) == "aldgate does not have time"
    assert why_not(tenant(), Channel.API, Capability.TIME) == "there is no api driver for sample"


@pytest.mark.parametrize("channel", Channel)
def test_our_own_drivers_declare_each_capability_and_have_its_part(channel):
    found = driver_class("tryton", channel)
    assert found is not None
    connected: Any = found().connect(tenant(erp="tryton"), CALL)
    for part, methods in PARTS.items():
        assert part not in found.capabilities or all(hasattr(connected, method) for method in methods)
