"""What holds for every unit test."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from ringgate.host import secrets

# A busy machine is no failure.
settings.register_profile("unit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def _own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that one test reveals is not redacted out of what another prints."""
    monkeypatch.setattr(secrets, "_revealed", secrets.Redactor())
