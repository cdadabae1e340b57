"""One-time codes as RFC 6238 computes them, and no seed in any message."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ringgate.domain.errors import SecretMissing
from ringgate.drivers.one_time_codes import one_time_code
from ringgate.host.secrets import EnvSecret, redact

SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""`12345678901234567890` in base32: the seed of the RFC's own test vectors (appendix B), of which the last six digits
are the code of six digits."""


@pytest.mark.parametrize(
    ("second", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_the_vectors_of_the_rfc(monkeypatch, second, code):
    monkeypatch.setenv("SEED", SEED)
    assert one_time_code(EnvSecret("SEED"), datetime.fromtimestamp(second, UTC)) == code


def test_it_may_be_written_in_groups_and_is_hidden(monkeypatch):
    monkeypatch.setenv("SEED", "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ")
    code = one_time_code(EnvSecret("SEED"), datetime.fromtimestamp(1234567890, UTC))
    assert code not in redact(f"entered {code}")


def test_a_seed_that_is_none_is_told_by_its_reference(monkeypatch):
    monkeypatch.setenv("SEED", "not base32!")
    with pytest.raises(SecretMissing, match="environment variable SEED is not base32") as caught:
        one_time_code(EnvSecret("SEED"))
    assert "not base32!" not in str(caught.value)
