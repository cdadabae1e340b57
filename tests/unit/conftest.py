"""What holds for every unit test."""

from __future__ import annotations

import pytest

from ringgate.host import secrets


@pytest.fixture(autouse=True)
def _own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that one test reveals is not redacted out of what another prints."""
    monkeypatch.setattr(secrets, "_revealed", secrets.Redactor())
