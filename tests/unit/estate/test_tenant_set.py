"""Which tenants an estate has, and what is written about them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ringgate.estate import tenant_set
from ringgate.estate.errors import EstateError
from ringgate.inventory import Inventory
from tests.unit.estate.support import KIND


def test_the_demo_tenants_come_first_and_others_are_variations() -> None:
    members = tenant_set.members(KIND.tenants, 24)
    assert [member.id for member in members[:5]] == ["aldgate", "bleecker", "cologne", "kyoto", "barbican"]
    assert len({member.id for member in members}) == 24
    assert members[4].archetype.id == "aldgate"
    assert members[4].name != members[0].name
    assert members[4].threshold != members[0].archetype.policy.approval.threshold
    assert members[0].threshold is None
    assert members[5].threshold is None


@pytest.mark.parametrize("count", [0, 25])
def test_an_estate_has_a_size(count: int) -> None:
    with pytest.raises(EstateError, match="1 to 24"):
        tenant_set.members(KIND.tenants, count)


def test_the_written_inventory_is_an_inventory_like_any_other(tmp_path: Path) -> None:
    members = tenant_set.members(KIND.tenants, 6)
    numbers = {member.id: 9001 + index for index, member in enumerate(members)}
    target = tmp_path / "inventory"
    for _ in range(2):  # the second time over the first
        tenant_set.write_inventory(
            target, KIND, KIND.tenants.folder, members, numbers, "${RINGGATE_HOME}/estates/x/secrets"
        )
    inventory = Inventory.load(target)
    assert {tenant.id for tenant in inventory.tenants} == set(numbers)
    kyoto, demo = inventory.tenant("kyoto"), Inventory.load(KIND.tenants.folder).tenant("kyoto")
    assert kyoto.api == "http://127.0.0.1:9004/kyoto"
    assert kyoto.policy == demo.policy
    assert all("estates/x/secrets/kyoto/" in str(account.password) for account in kyoto.users.values())
    assert list(tmp_path.iterdir()) == [target]


def test_passwords_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    first = tenant_set.passwords(tmp_path / "t", ["auditor"], {"auditor": "first-secret"})
    second = tenant_set.passwords(tmp_path / "t", ["auditor"], {"auditor": "second-secret"})
    assert first == second == {"auditor": "first-secret"}
    assert stat.S_IMODE((tmp_path / "t" / "auditor").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "t").stat().st_mode) == 0o700
