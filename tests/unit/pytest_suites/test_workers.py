"""Tests go to one worker whose ids name one tenant, whatever its name, the channel and other parameters."""

from __future__ import annotations

import pytest

from ringgate.domain.terms import Channel
from ringgate.pytest_suites.workers import tenant_in

TENANTS = ("acme", "acme-eu", "api", "b.c")


@pytest.mark.parametrize(
    ("nodeid", "tenant"),
    [
        ("suites/a.py::sign-in[acme-api]", "acme"),
        ("suites/a.py::sign-in[acme-eu-browser]", "acme-eu"),
        ("suites/a.py::sign-in[api-api]", "api"),
        ("suites/a.py::test_amounts[3-acme-api]", "acme"),
        ("suites/a.py::test_amounts[acme-eu-api-large]", "acme-eu"),
        ("suites/a.py::sign-in[acme-api]@acme", "acme"),
        ("suites/a.py::sign-in[bxc-api]", None),
        ("suites/a.py::sign-in[acmes-api]", None),
        ("suites/acme-api/a.py::test_it", None),
    ],
)
def test_the_tenant_in_an_id(nodeid, tenant) -> None:
    assert tenant_in(nodeid, TENANTS) == tenant


@pytest.mark.parametrize("channel", [*Channel, "soap"])
def test_no_channel_falls_out(channel) -> None:
    """A channel of the model counts as soon as there is one."""
    assert tenant_in(f"suites/a.py::sign-in[acme-{channel}]", TENANTS, [*Channel, "soap"]) == "acme"
