"""The options of `pytest suites`. Each also has the prefix `--ringgate-`, for where another plugin has its name."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import Any, Final

import pytest

from ringgate.domain.terms import Channel, Layer

BUDGET: Final = 60.0
"""Seconds that the properties of one tenant over one channel may take in all, if nothing else is asked for."""

_MANY: Final[dict[str, Any]] = {"action": "append", "default": [], "metavar": "NAME"}


def seconds(text: str) -> float:
    """A number of seconds that is not negative. Raises argparse.ArgumentTypeError."""
    with suppress(ValueError):
        if 0 <= (value := float(text)) < float("inf"):
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds: write 60, or 0 for no limit")


def count(text: str) -> int:
    """A whole number that is not negative. Raises argparse.ArgumentTypeError."""
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number: write 1 for every run, 0 for none")


def shard(text: str) -> tuple[int, int]:
    """Which part of how many, counted from 1. Raises argparse.ArgumentTypeError."""
    which, slash, of = text.partition("/")
    if slash and which.isdecimal() and of.isdecimal() and 1 <= int(which) <= int(of):
        return int(which), int(of)
    raise argparse.ArgumentTypeError(f"{text!r} is no part of a whole: write 2/4 for the second of four")


_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "tenant": {"help": "run on this tenant; may be given again", **_MANY},
    "cohort": {"help": "run on the tenants of this cohort; may be given again", **_MANY},
    "ring": {"help": "run on the tenants of this ring; may be given again", **_MANY},
    "region": {"help": "run on the tenants of this region; may be given again", **_MANY},
    "residency": {
        "help": "this machine's residency: only tenants of it, and of any, are called (default: RINGGATE_RESIDENCY)",
        **_MANY,
    },
    "shard": {
        "type": shard,
        "metavar": "I/N",
        "help": "run on the I-th of N parts of the selected tenants",
    },
    "scenario": {"help": "run this scenario; may be given again", **_MANY},
    "channel": {
        "action": "append",
        "default": [],
        "choices": [channel.value for channel in Channel],
        "help": "run over this channel only",
    },
    "layer": {
        "action": "append",
        "default": [],
        "choices": [layer.value for layer in Layer],
        "help": "run scenarios of this layer only",
    },
    "smoke": {
        "action": "store_true",
        "help": "over the browser, only the scenarios marked smoke; over the API, all but the extended",
    },
    "inventory": {"metavar": "DIR", "help": "the tenants' folder (default: RINGGATE_INVENTORY, else tenants/)"},
    "release": {"default": "", "metavar": "NAME", "help": "label the results with the release under test"},
    "results": {"metavar": "URL", "help": "where results are stored (default: RINGGATE_RESULTS, else SQLite)"},
    "report": {
        "metavar": "FILE",
        "help": "where the HTML report is written (default: reports/out/report.html)",
    },
    "twins": {
        "type": count,
        "default": 0,
        "metavar": "N",
        "help": "compare all that one run of N made with what runs before it made (default: 0, no run)",
    },
    "twins-file": {"metavar": "FILE", "help": "TOML: renamed fields that were reviewed, and accepted differences"},
    "ctrf": {"metavar": "FILE", "help": "write what the tests came to as CTRF JSON (ctrf.io)"},
    "property-budget": {
        "type": seconds,
        "default": BUDGET,
        "metavar": "SECONDS",
        "help": f"what the properties of one tenant may take (default: {BUDGET:.0f}; 0: no limit)",
    },
}
NAMES: Final = tuple(name for each in _OPTIONS for name in (f"--{each}", f"--ringgate-{each}"))


def add(parser: pytest.Parser) -> None:
    """Register every option by its name and with the prefix, or with the prefix alone where the name is taken."""
    group = parser.getgroup("ringgate", "business processes of an ERP (Ringgate)")
    for name, settings in _OPTIONS.items():
        dest = _dest(name)
        try:
            group.addoption(f"--{name}", f"--ringgate-{name}", dest=dest, **settings)
        except (ValueError, argparse.ArgumentError):
            group.addoption(f"--ringgate-{name}", dest=dest, **settings)


def option(config: pytest.Config, name: str) -> Any:
    """What was given for an option, by its name without dashes in front."""
    return config.getoption(_dest(name))


def _dest(name: str) -> str:
    return "ringgate_" + name.replace("-", "_")
