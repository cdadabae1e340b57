"""The rules of a gate, one function each: facts in, a reason out, or None where the rule has nothing to say.

The worst state of all reasons is the state of the verdict; only where no rule has anything to say is it promoted. So no
rule that stops a rollout can be outvoted: not by other tenants, nor by more data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ringgate.gate.facts import Facts, GateState, Weighed
from ringgate.gate.required import NotTested
from ringgate.gate.signals import Strength
from ringgate.gate.words import counted, listed, moment, percent, probe_words, span, units


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is what it is. `rule` is the rule's stable name, `sentence` for people."""

    rule: str
    state: GateState
    sentence: str


Rule = Callable[[Facts], Reason | None]


# --- the evidence --------------------------------------------------------------------------------------------------


def invariant_broken(facts: Facts) -> Reason | None:
    """What no release may break even once rolls it back at once."""
    if not facts.breaches:
        return None
    first, *more = facts.breaches
    others = f"; {counted(len(more), 'more breach', 'more breaches')}" if more else ""
    before = f" It was broken {first.before:,} times before the release, too: going back will not repair it."
    return Reason(
        "invariant_broken",
        GateState.ROLL_BACK,
        f"{first.invariant.value} on {first.tenant} ({first.scenario}, run {first.run_id}): {first.message}{others}."
        + (before if first.before else ""),
    )


def evidence_to_roll_back(facts: Facts) -> Reason | None:
    """Evidence by block of 1/alpha squared, of what the ERP did wrong: slow, or other documents, only pauses."""
    bad = [s for s in _enough(facts) if _rolls_back(s)]
    return _said(
        facts, "evidence_to_roll_back", GateState.ROLL_BACK, bad, lambda s: (s.peak, s.alpha**-2, "to roll back")
    )


def evidence_to_pause(facts: Facts) -> Reason | None:
    """Evidence by block of 1/alpha, once: it does not end by itself. What rolls back is told there."""
    bad = [s for s in _enough(facts) if _pauses(s) and s.peak >= 1 / s.alpha and not _rolls_back(s)]
    said = _said(facts, "evidence_to_pause", GateState.PAUSE, bad, lambda s: (s.peak, 1 / s.alpha, "to pause"))
    doubtful = [s for s in bad if s.mostly_doubtful and _is_strong(s)]
    if said is None or not doubtful:
        return said
    told = "; ".join(f"{s.doubtful:,} of the {s.bad:,}" for s in doubtful)
    why = f"{told} got no answer in time, or made other documents, which does not say that the ERP is wrong"
    return replace(said, sentence=f"{said.sentence} It is not rolled back: {why}.")


def evidence_to_hold(facts: Facts) -> Reason | None:
    """Evidence by tick of 1/alpha, now: it ends when the evidence falls below. What pauses is told there."""
    bad = [s for s in _enough(facts) if s.quick >= 1 / s.alpha and not (_pauses(s) and s.peak >= 1 / s.alpha)]
    return _said(facts, "evidence_to_hold", GateState.HOLD, bad, lambda s: (s.quick, 1 / s.alpha, "to hold"))


def _pauses(signal: Weighed) -> bool:
    return signal.signal.definition.most >= Strength.PAUSE


def _rolls_back(signal: Weighed) -> bool:
    return _is_strong(signal) and not signal.mostly_doubtful


def _is_strong(signal: Weighed) -> bool:
    return signal.signal.definition.most >= Strength.ROLL_BACK and signal.peak >= signal.alpha**-2


def _enough(facts: Facts) -> list[Weighed]:
    return [signal for signal in facts.signals if signal.bad >= facts.policy.least_failures]


def _said(
    facts: Facts,
    rule: str,
    state: GateState,
    bad: Sequence[Weighed],
    bar: Callable[[Weighed], tuple[float, float, str]],
) -> Reason | None:
    if not bad:
        return None
    told = []
    for each in bad:
        stands, enough, what = bar(each)
        happened = f"{each.signal.definition.counted} {each.signal.bad_words(facts.policy)}"
        told.append(
            f"{each.bad:,} of {each.runs:,} {happened}: the bet on {each.signal} stands at {units(stands)} units, and "
            f"{units(enough)} are enough {what}"
        )
    return Reason(rule, state, "; ".join(told) + ".")


# --- why nothing can be said ------------------------------------------------------------------------------------------


def store_unreadable(facts: Facts) -> Reason | None:
    return _inconclusive("store_unreadable", f"No results could be read: {facts.unreadable}.", bool(facts.unreadable))


def not_deployed(facts: Facts) -> Reason | None:
    said = (
        f"Nothing says that {facts.release} reached {facts.ring}: no deployment is noted, and no run carries its name."
    )
    return _inconclusive("not_deployed", said, facts.started is None and not facts.unreadable)


def superseded(facts: Facts) -> Reason | None:
    said = f"{facts.superseded}: the results of {facts.release} are no longer what the ring is like."
    return _inconclusive("superseded", said, bool(facts.superseded))


def region_silent(facts: Facts) -> Reason | None:
    """What a region last said speaks of then: nobody knows what has failed there since."""
    said = f"Not every region of {facts.ring} tells how it is: {listed(facts.silent_regions)}."
    return _inconclusive("region_silent", said, bool(facts.silent_regions))


def no_data(facts: Facts) -> Reason | None:
    said = f"No run of {facts.release} has passed or failed on {facts.ring}."
    return _inconclusive("no_data", said, facts.started is not None and not facts.newest)


def no_baseline(facts: Facts) -> Reason | None:
    least, there = facts.policy.baseline_runs, facts.baseline_runs
    said = f"The baseline has {counted(there, 'run')}, and {least:,} are needed to know what is usual."
    return _inconclusive("no_baseline", said, facts.started is not None and there < least)


def tenant_absent(facts: Facts) -> Reason | None:
    said = f"{facts.release} has not reached {listed(facts.absent)}, which {_belong(facts.absent)} to {facts.ring}."
    return _inconclusive("tenant_absent", said, facts.started is not None and bool(facts.absent))


def tenant_untested(facts: Facts) -> Reason | None:
    missing = [tenant for tenant in facts.untested if tenant not in facts.absent]
    said = f"{listed(missing)}: no run has passed or failed there, so nothing is known of it."
    return _inconclusive("tenant_untested", said, bool(missing and facts.newest))


def probe_untested(facts: Facts) -> Reason | None:
    untested = frozenset(facts.untested)
    open_ = [probe for probe in facts.unprobed if probe[0] not in untested]
    said = f"Due, and not carried out once since the release: {listed(map(probe_words, open_))}."
    return _inconclusive("probe_untested", said, bool(open_))


def process_missing(facts: Facts) -> Reason | None:
    """Nothing is promoted on too little: sign-ins that pass say nothing about invoices."""
    lacking = [each for each in facts.lacking if each.must]
    said = f"Must have passed on every tenant since {facts.release}, and did not: {_each_on_its_tenants(lacking)}."
    return _inconclusive("process_missing", f"{said} {_WAIVER}", facts.started is not None and bool(lacking))


def skipped(facts: Facts) -> Reason | None:
    """A check that was skipped is not a check that passed."""
    lacking = [each for each in facts.lacking if not each.must]
    said = f"Skipped, and not carried out once since {facts.release}: {_each_on_its_tenants(lacking)}."
    return _inconclusive("skipped", f"{said} {_WAIVER}", facts.started is not None and bool(lacking))


_WAIVER = 'Only a waiver with the signature "untested" lets it go without.'


def _each_on_its_tenants(lacking: Sequence[NotTested]) -> str:
    """`time-entry and sign-in on aldgate and cologne (cologne is paused)`: scenarios that lack on the same tenants for
    the same reasons are told together."""
    tenants: dict[str, list[NotTested]] = {}
    for each in lacking:
        tenants.setdefault(each.scenario, []).append(each)
    together: dict[tuple[str, ...], list[str]] = {}
    for scenario, some in tenants.items():
        together.setdefault(tuple(each.tenant for each in some), []).append(scenario)
    told = []
    for where, scenarios in together.items():
        why = dict.fromkeys(each.why for each in lacking if each.scenario in scenarios and each.why)
        because = f" ({'; '.join([*why][:2])}{'; and more' if len(why) > 2 else ''})" if why else ""
        told.append(f"{listed(scenarios, _MOST_PROCESSES)} on {listed(where)}{because}")
    return "; ".join(told)


_MOST_PROCESSES = 12


def stale(facts: Facts) -> Reason | None:
    limit = facts.policy.freshness
    old = {tenant: facts.now - at for tenant, at in facts.newest.items() if facts.now - at > limit}
    said = f"Old results say nothing of today: {listed(f'the newest of {t} is {span(a)} old' for t, a in old.items())}."
    return _inconclusive("stale", f"{said} At most {span(limit)} are allowed.", bool(old))


def too_many_broken(facts: Facts) -> Reason | None:
    share = facts.broken / facts.attempted if facts.attempted else 0.0
    said = (
        f"{facts.broken:,} of {facts.attempted:,} runs could not be carried out because of our own side "
        f"({percent(share)}; at most {percent(facts.policy.broken)} are allowed)."
    )
    return _inconclusive("too_many_broken", said, share > facts.policy.broken)


def self_test_missing(facts: Facts) -> Reason | None:
    within = facts.policy.self_test
    fresh = [test for test in facts.self_tests if facts.now - test.at <= within]
    ever = "the last is older" if facts.self_tests else "there was none"
    said = f"No self-test was run within {span(within)} ({ever}): nobody knows that a fault would be noticed."
    return _inconclusive("self_test_missing", said, facts.started is not None and not fresh)


def self_test_missed(facts: Facts) -> Reason | None:
    last = max(facts.self_tests, key=lambda test: test.at, default=None)
    if last is None or last.caught:
        return None
    said = (
        f"The self-test of {last.scenario} on {last.tenant} ({moment(last.at)}) was not caught: an answer was "
        "falsified, and the scenario did not notice."
    )
    return _inconclusive("self_test_missed", said, True)


def signal_unknown(facts: Facts) -> Reason | None:
    unknown = [f"{each.signal}: {each.unknown}" for each in facts.signals if each.unknown]
    return _inconclusive(
        "signal_unknown", f"The policy insists on a signal that is not known: {listed(unknown)}.", bool(unknown)
    )


def soaking(facts: Facts) -> Reason | None:
    if facts.soaked_at is None or facts.now >= facts.soaked_at:
        return None
    left = facts.soaked_at - facts.now
    return _inconclusive("soaking", f"It has soaked for too short a time: {span(left)} are left.", True)


def undecided(facts: Facts) -> Reason | None:
    said = (
        f"The bet that the release is fine stands at {units(facts.fine)} units, and {units(facts.fine_at)} are needed "
        "to promote it."
    )
    return _inconclusive("undecided", said, bool(facts.newest) and facts.fine < facts.fine_at)


def _inconclusive(rule: str, sentence: str, applies: bool) -> Reason | None:
    return Reason(rule, GateState.INCONCLUSIVE, sentence) if applies else None


def _belong(tenants: Sequence[str]) -> str:
    return "belongs" if len(tenants) == 1 else "belong"


RULES: Sequence[Rule] = (
    store_unreadable,
    invariant_broken,
    evidence_to_roll_back,
    evidence_to_pause,
    evidence_to_hold,
    not_deployed,
    superseded,
    region_silent,
    no_data,
    no_baseline,
    tenant_absent,
    tenant_untested,
    process_missing,
    skipped,
    probe_untested,
    stale,
    too_many_broken,
    self_test_missing,
    self_test_missed,
    signal_unknown,
    soaking,
    undecided,
)
_SEVERITY = tuple(GateState)


def reasons(facts: Facts) -> tuple[Reason, ...]:
    """What every rule has to say, the worst first."""
    said = [reason for rule in RULES if (reason := rule(facts)) is not None]
    return tuple(sorted(said, key=lambda reason: -_SEVERITY.index(reason.state)))


def state_of(found: Sequence[Reason]) -> GateState:
    """The worst of what was said; promoted only if nothing was."""
    return max((reason.state for reason in found), key=_SEVERITY.index, default=GateState.PROMOTE)
