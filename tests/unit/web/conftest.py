from __future__ import annotations

import pytest

from ringgate.domain.model import Deployment
from tests.unit.metrics.test_metrics import NOON
from tests.unit.web.world import World


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    world.store.deployed(Deployment("d1", NOON, "canary", "8.0", note="by hand", by="ops"))
    yield world
    world.store.close()
