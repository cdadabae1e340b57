"""A release is what the server says it is, as far as its name or a pattern tells."""

from __future__ import annotations

import pytest

from ringgate.domain.releases import contradiction, expected_version


@pytest.mark.parametrize(
    ("release", "version", "expected"),
    [
        ("8.0.12", "", "8.0.12"),
        ("v8.0", "", "8.0"),
        ("tryton-8.0", "", "8.0"),
        ("Odoo 19.0", "", "19.0"),
        ("2027.03", "", ""),
        ("spring", "", ""),
        ("8", "", ""),
        ("", "", ""),
        ("spring", "8.0.*", "8.0.*"),
        ("8.0.12", "8.*", "8.*"),
    ],
)
def test_what_is_expected_is_given_or_stated_by_the_name(release, version, expected):
    assert expected_version(release, version) == expected


@pytest.mark.parametrize(
    ("server", "release", "version"),
    [
        ("8.0.12", "8.0.12", ""),
        ("8.0.12", "8.0", ""),
        ("8.0", "8.0.12", ""),
        ("19.0+e-20260101", "19.0", ""),
        ("19.0-20251122", "odoo-19.0", ""),
        ("8.0.12", "spring", "8.0.*"),
        ("8.0.12", "spring", "8.0"),
        ("8.0.12", "spring", ""),
        ("", "8.0.12", ""),
        ("7.0.59", "5.2.1", "*"),
    ],
)
def test_who_agrees(server, release, version):
    assert contradiction(server, release, version) == ""


@pytest.mark.parametrize(
    ("server", "release", "version"),
    [
        ("7.0.59", "8.0.12", ""),
        ("8.0.1", "8.0.12", ""),
        ("7.0.59", "tryton-8.0", ""),
        ("7.0.59", "spring", "8.0.*"),
        ("18.0", "spring", "19.0"),
        ("unknown", "8.0", ""),
    ],
)
def test_who_does_not(server, release, version):
    assert contradiction(server, release, version).startswith(f"the server says {server}, and ")
