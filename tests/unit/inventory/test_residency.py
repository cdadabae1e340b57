"""A process of one residency gets no secret of a tenant of another."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from ringgate.domain.errors import SecretWithheld
from ringgate.domain.terms import Channel, Role
from ringgate.inventory import Inventory, secret_problems
from tests.unit.inventory.test_inventory import DEFAULTS, SMALLEST, TODAY, write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RINGGATE_RESIDENCY", raising=False)
    for name in ("HERE", "THERE", "FREE"):
        monkeypatch.setenv(f"{name}_ACCOUNTANT", f"known to {name}")
    places = {"here": "eu", "there": "us", "free": "any"}
    files = {f"{name}.toml": f'residency = "{of}"\n' + SMALLEST.format(id=name) for name, of in places.items()}
    return write(tmp_path, {"defaults.toml": DEFAULTS, **files})


def revealed(inventory: Inventory) -> set[str]:
    found = set()
    for tenant in inventory.tenants:
        with suppress(SecretWithheld):
            found.add(tenant.users[Role.ACCOUNTANT].secrets[0].reveal())
    return found


def test_secrets_of_another_residency_are_withheld(folder: Path) -> None:
    assert revealed(Inventory.load(folder, TODAY)) == {"known to HERE", "known to THERE", "known to FREE"}
    mine = Inventory.load(folder, TODAY, residency=["eu"])
    assert revealed(mine) == {"known to HERE", "known to FREE"}
    with pytest.raises(SecretWithheld, match="there has the residency us, and this process has eu"):
        mine.tenant("there").users[Role.ACCOUNTANT].on(Channel.API).reveal_password()


def test_no_option_gets_past_what_the_environment_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGGATE_RESIDENCY", "eu")
    for asked in (None, ["us"]):
        assert revealed(Inventory.load(folder, TODAY, residency=asked)) == {"known to HERE", "known to FREE"}


def test_a_withheld_secret_is_not_told_as_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THERE_ACCOUNTANT")
    missing, _ = secret_problems(Inventory.load(folder, TODAY, residency=["eu"]))
    assert missing == []
