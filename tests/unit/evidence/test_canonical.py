"""One value has one text, whoever writes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringgate.evidence.canonical import canonical, digest_of, plain
from ringgate.host.secrets import EnvSecret


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Thing:
    name: str
    size: float


def test_keys_are_in_order_and_nothing_stands_between() -> None:
    assert canonical({"b": 1, "a": [True, None, "ä\n"]}) == '{"a":[true,null,"ä\\n"],"b":1}'


def test_every_kind_of_value_has_one_form() -> None:
    berlin = datetime(2026, 11, 28, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    value = {
        "thing": Thing("x", 0.1), "day": date(2026, 1, 2), "at": berlin, "money": Decimal("1.10"), "colour": Colour.RED,
        "span": timedelta(minutes=1), "file": Path("a/b"), "set": {"b", "a"}, "secret": EnvSecret("TOKEN"),
    }  # fmt: skip
    assert plain(value) == {
        "thing": {"name": "x", "size": "0.1"}, "day": "2026-01-02", "at": "2026-11-28T09:00:00.000000Z",
        "money": "1.10", "colour": "red", "span": "60.0", "file": "a/b", "set": ["a", "b"],
        "secret": "environment variable TOKEN",
    }  # fmt: skip


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="evidence cannot hold object"):
        canonical({"x": object()})


def test_the_digest_of_a_known_value_is_known() -> None:
    # `printf '{"a":1}' | sha256sum`
    assert digest_of({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.none(), max_size=6))
def test_the_order_in_which_something_is_said_is_of_no_matter(value: dict[str, object]) -> None:
    assert canonical(value) == canonical(dict(reversed(value.items())))
