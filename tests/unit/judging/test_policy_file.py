"""A gate's policy file: the documented one, every mistake at once, and what its keys become."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from ringgate.gate import GatePolicy, Signal
from ringgate.inventory import Inventory
from ringgate.judging import GatePolicyError, load_policy

ROOT = Path(__file__).parents[3]


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], GatePolicy]:
    def load(text: str) -> GatePolicy:
        path = tmp_path / "gate.toml"
        path.write_text(text)
        return load_policy(path, Inventory.load(ROOT / "tenants"))

    return load


def test_without_a_file_and_with_an_empty_one_the_built_in_policy_holds(load: Callable[[str], GatePolicy]) -> None:
    assert load_policy(None) == load("") == GatePolicy()


def test_the_documented_policy_is_the_built_in_one_but_for_its_waiver() -> None:
    documented = load_policy(ROOT / "deploy" / "gate.toml", Inventory.load(ROOT / "tenants"))
    (waiver,) = documented.waivers
    assert (waiver.tenant, waiver.signature, waiver.expires) == ("kyoto", "slowness", date(2027, 1, 31))
    assert documented == GatePolicy(waivers=(waiver,))


def test_every_key_is_in_the_documented_file() -> None:
    from ringgate.inventory.schema import keys_of
    from ringgate.judging.policy_file import GatePolicyTable

    text = (ROOT / "deploy" / "gate.toml").read_text()
    names = {key.rsplit(".", 1)[-1] for key, *_ in keys_of(GatePolicyTable)}
    assert [name for name in sorted(names - {"posting"}) if name not in text] == []


def test_what_is_said_counts(load: Callable[[str], GatePolicy]) -> None:
    policy = load(
        'alpha = 0.05\n[bake]\ntick = "10 s"\nsoak = "2 min"\ndeadline = "1 h"\nfreshness = "5 min"\n'
        'self_test = "1 h"\n'
        '[baseline]\nwindow = "1 d"\nruns = 20\n[evidence]\nbroken = 0.2\nfailures = 5\nmust = ["sign-in"]\n'
        "[promote]\ntimes = 4\nleast_rate = 0.05\n"
        "[signals]\nslowness = false\nbacklog = true\nposting-errors = false\n"
        "[slowness]\nquantiles = [0.9]\nslower = 1.5\n[silence]\nrate = 0.1\n"
    )
    assert policy == GatePolicy(
        alpha=0.05, tick=timedelta(seconds=10), soak=timedelta(minutes=2), deadline=timedelta(hours=1),
        freshness=timedelta(minutes=5), self_test=timedelta(hours=1), window=timedelta(days=1), baseline_runs=20,
        broken=0.2, least_failures=5, must=("sign-in",), times=4, least_rate=0.05, quantiles=(0.9,), slower=1.5,
        silence_rate=0.1,
        signals={Signal.SLOWNESS: False, Signal.BACKLOG: True, Signal.POSTING: False},
    )  # fmt: skip
    assert policy.ticks == 360


def test_what_must_have_passed_are_scenarios_that_there_are(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text('[evidence]\nmust = ["sign-in", "time-entri"]\n')
    with pytest.raises(GatePolicyError) as told:
        load_policy(path, None, ["sign-in", "time-entry"])
    assert str(told.value).endswith(
        'gate.toml: evidence.must[1]: no scenario is called so; did you mean time-entry? (got "time-entri")'
    )
    path.write_text("[evidence]\nmust = []\n")
    with pytest.raises(GatePolicyError, match=r"evidence\.must: "):
        load_policy(path)


def test_all_mistakes_are_told_at_once(load: Callable[[str], GatePolicy]) -> None:
    with pytest.raises(GatePolicyError) as told:
        load(
            'alpha = 2\nalfa = 1\n[bake]\nsoak = "25 h"\n[baseline]\nruns = 0\nwindow = "7"\n'
            "[signals]\nfailures = false\nslowness = 1\n[slowness]\nquantiles = [0.9, 0.5]\n"
            '[[waivers]]\ntenant = "kyotoo"\nsignature = "slownes"\nowner = ""\nexpires = "soon"\n'
        )
    lines = str(told.value)
    for message in (
        "alpha: must be at most 0.2 (got 2)",
        "alfa: is not a known key; did you mean alpha?",
        "bake.soak: must not be longer than the deadline",
        "baseline.runs: must be at least 1 (got 0)",
        'baseline.window: must be a time with its unit (s, min, h, d), such as "30 min" (got "7")',
        "signals.failures: is not a known key",
        "signals.slowness: must be true or false",
        "slowness.quantiles: must rise, each only once",
        'waivers[0].tenant: fits no tenant of the inventory; did you mean kyoto? (got "kyotoo")',
        "waivers[0].signature: must be a signal, a failure's kind, an invariant, or untested; did you mean slowness?",
        "waivers[0].owner: must not be empty",
        "waivers[0].reason: is required",
        "waivers[0].release: is required",
        "waivers[0].expires: must be a date, such as 2027-01-31",
    ):
        assert message in lines
    assert all(f"gate.toml: {line.split('gate.toml: ')[1]}" in line for line in lines.splitlines())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha = ", "is not valid TOML"),
        ('[bake]\ntick = "0 s"', "bake.tick: must be longer than nothing"),
        ('[bake]\ntick = "3 h"', "bake.tick: must fit into the deadline at least ten times"),
        ("[promote]\ntimes = 1", "promote.times"),
        (
            '[[waivers]]\ntenant = "kyoto"\nrelease = "*"\nsignature = "slowness"\nowner = "a"\nreason = "b"\n'
            "expires = 2027-01-31",
            "waivers[0].release: must name the release: what is accepted of one is not accepted of the next",
        ),
        ('[posting]\nsteps = ["*post*"]', "posting: is not a known key"),
    ],
)
def test_one_mistake_one_message(load: Callable[[str], GatePolicy], text: str, message: str) -> None:
    with pytest.raises(GatePolicyError, match=message.replace("[", r"\[")):
        load(text)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(GatePolicyError, match=r"none\.toml: cannot be read"):
        load_policy(tmp_path / "none.toml")


@pytest.mark.parametrize("covers", ["failures", "silence", "untested", "numbering", "unavailable", "un*"])
def test_what_a_waiver_may_cover(load: Callable[[str], GatePolicy], covers: str) -> None:
    policy = load(
        f'[[waivers]]\ntenant = "ky*"\nrelease = "8.0.*"\nsignature = "{covers}"\n'
        'owner = "ops"\nreason = "known"\nexpires = 2027-01-31\n'
    )
    assert policy.waivers[0].signature == covers
