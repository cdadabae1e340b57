"""A verdict as JSON for programs and as JUnit for CI. Text for people is in `page.py`.

The JSON is stable: keys are added, never renamed or removed within a major version (`format`). Times are ISO 8601 in
UTC, spans in seconds, rates and alpha are fractions, evidence is in units.

    {"format": 1, "ring": "canary", "release": "8.0.3", "at": ...,
     "verdict": "pass|fail|inconclusive", "action": "promote|wait|hold|pause|roll back", "decided": false,
     "state": "promote|inconclusive|hold|pause|roll back",
     "reasons": [{"rule": "evidence_to_pause", "state": "pause", "sentence": "..."}],        worst first, [] for a pass
     "bake": {"started", "soaked", "deadline"},                                              null where unknown
     "tenants": {"expected": [], "tested": [], "untested": [], "absent": []},
     "samples": {"passed", "failed", "broken", "skipped", "waived", "first", "newest", "age", "by_tenant": {}},
     "baseline": {"runs", "failed", "broken", "since", "until"},
     "alpha": {"total": 0.01, "each": 0.0025, "signals": ["failures", ...], "unused": {"backlog": "why"}},
     "evidence": {"failures": {"now", "by_block", "peak", "hold_at", "pause_at", "roll_back_at", "bad", "runs",
                  "bad_before", "runs_before", "null", "block", "tenants": {}, "own_nulls": {},
                  "curve": [[time, by tick, by block], ...]}},
     "fine": {"now": 12.5, "promotes_at": 100.0},                                            the bet for the release
     "cause": null or {"cause", "because"},                                                  of everything that fails
     "failures": [{"cause", "because", "remark", "scenario", "step", "kind", "basis", "runs", "tenants", "channels",
                   "message", "run_id"}], "broken": [the same],
     "blast_radius": null or {"failing": [], "well": [], "suspects": [], "sentence", "exposed": {}, "spared": []},
     "self_tests": [{"scenario", "tenant", "at", "caught"}],
     "outlook": {"runs_to_promote", "seconds_to_promote", "seconds_to_stop", "sentences": []},
     "waivers": {"applied": [{..., "times"}], "expired": []}, "remarks": []}
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as Xml

from ringgate.domain.waivers import Waiver
from ringgate.gate import RULES, Attribution, BlastRadius, GateState, SignalEvidence, Verdict
from ringgate.judging.page import as_text

FORMAT = 1


def as_json(verdict: Verdict) -> dict[str, Any]:
    """What the module's docstring says, ready for `json.dumps`."""
    facts, samples, outlook = verdict.facts, verdict.samples, verdict.outlook
    return {
        "format": FORMAT,
        "ring": facts.ring,
        "release": facts.release,
        "at": _time(facts.now),
        "verdict": verdict.word.value,
        "action": verdict.action.value,
        "decided": verdict.decided,
        "state": verdict.state.value,
        "reasons": [{"rule": r.rule, "state": r.state.value, "sentence": r.sentence} for r in verdict.reasons],
        "bake": {
            "started": _time(facts.started),
            "soaked": _time(facts.soaked_at),
            "deadline": _time(facts.deadline),
        },
        "tenants": {
            "expected": list(facts.expected),
            "tested": list(facts.tested),
            "untested": list(facts.untested),
            "absent": list(facts.absent),
        },
        "samples": {
            "passed": samples.passed,
            "failed": samples.failed,
            "broken": samples.broken,
            "skipped": samples.skipped,
            "waived": samples.waived,
            "first": _time(samples.first),
            "newest": _time(samples.newest),
            "age": _seconds(facts.age),
            "by_tenant": dict(sorted(samples.by_tenant.items())),
        },
        "baseline": _baseline(verdict),
        "alpha": {
            "total": facts.policy.alpha,
            "each": verdict.evidence[0].alpha if verdict.evidence else None,
            "signals": [each.signal.value for each in facts.signals],
            "unused": {signal.value: why for signal, why in verdict.unused.items()},
        },
        "evidence": {each.signal.value: _evidence(each) for each in verdict.evidence},
        "fine": {"now": facts.fine, "promotes_at": facts.fine_at},
        "cause": {"cause": verdict.cause[0].value, "because": verdict.cause[1]} if verdict.cause else None,
        "failures": [_attribution(each) for each in verdict.attributions],
        "broken": [_attribution(each) for each in verdict.ours],
        "blast_radius": _radius(verdict.radius) if verdict.radius else None,
        "self_tests": [
            {"scenario": test.scenario, "tenant": test.tenant, "at": _time(test.at), "caught": test.caught}
            for test in facts.self_tests
        ],
        "outlook": {
            "runs_to_promote": outlook.runs_to_promote,
            "seconds_to_promote": _seconds(outlook.time_to_promote),
            "seconds_to_stop": _seconds(outlook.time_to_stop),
            "sentences": list(outlook.sentences),
        },
        "waivers": {
            "applied": [{**_waiver(waiver), "times": times} for waiver, times in verdict.waived],
            "expired": [_waiver(waiver) for waiver in verdict.expired],
        },
        "remarks": list(verdict.remarks),
    }


def _baseline(verdict: Verdict) -> dict[str, Any] | None:
    before = verdict.baseline
    if before is None:
        return None
    return {
        "runs": before.runs,
        "failed": before.failed,
        "broken": before.broken,
        "since": _time(before.since),
        "until": _time(before.until),
    }


def _evidence(each: SignalEvidence) -> dict[str, Any]:
    return {
        "now": each.quick,
        "by_block": each.firm,
        "peak": each.peak,
        "hold_at": each.hold_at,
        "pause_at": each.pause_at,
        "roll_back_at": each.roll_back_at,
        "bad": each.bad,
        "runs": each.runs,
        "bad_before": each.bad_before,
        "runs_before": each.runs_before,
        "null": each.null,
        "block": _seconds(each.block),
        "tenants": dict(each.tenants),
        "own_nulls": dict(each.own_nulls),
        "curve": [[_time(point.at), point.quick, point.firm] for point in each.curve],
    }


def _attribution(each: Attribution) -> dict[str, Any]:
    scenario, step, kind, basis = each.group.signature
    return {
        "cause": each.cause.value,
        "because": each.because,
        "remark": each.remark,
        "scenario": scenario,
        "step": step,
        "kind": kind,
        "basis": basis,
        "runs": each.group.runs,
        "tenants": list(each.group.tenants),
        "channels": [channel.value for channel in each.group.channels],
        "message": each.group.failure.message,
        "run_id": each.group.example.run_id,
    }


def _radius(radius: BlastRadius) -> dict[str, Any]:
    return {
        "failing": list(radius.failing),
        "well": list(radius.well),
        "suspects": [str(suspect) for suspect in radius.suspects],
        "sentence": radius.sentence,
        "exposed": {tenant: [str(suspect) for suspect in shared] for tenant, shared in radius.exposed.items()},
        "spared": list(radius.spared),
    }


def _waiver(waiver: Waiver) -> dict[str, str]:
    return {
        "tenant": waiver.tenant,
        "scenario": waiver.scenario,
        "signature": waiver.signature,
        "release": waiver.release,
        "owner": waiver.owner,
        "reason": waiver.reason,
        "expires": waiver.expires.isoformat(),
    }


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else None


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


# --- for CI ----------------------------------------------------------------------------------------------------------


def as_junit(verdict: Verdict) -> str:
    """One test case for each rule: failed where it stops the rollout, an error where nothing can be said; so no tool
    that reads JUnit takes for green what is not a pass. The page for people is its output."""
    facts = verdict.facts
    said = {reason.rule: reason for reason in verdict.reasons}
    bad = [reason for reason in verdict.reasons if reason.state in (GateState.PAUSE, GateState.ROLL_BACK)]
    suite = Xml.Element(
        "testsuite",
        name=f"ringgate gate {facts.ring} {facts.release}",
        tests=str(len(RULES)),
        failures=str(len(bad)),
        errors=str(len(said) - len(bad)),
        timestamp=str(_time(facts.now)),
    )
    for rule in RULES:
        case = Xml.SubElement(suite, "testcase", classname=f"gate.{facts.ring}", name=rule.__name__, time="0")
        if reason := said.get(rule.__name__):
            kind = "failure" if reason in bad else "error"
            Xml.SubElement(case, kind, type=reason.state.value, message=printable(reason.sentence)).text = printable(
                reason.sentence
            )
    Xml.SubElement(suite, "system-out").text = printable(as_text(verdict))
    Xml.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(suite, encoding="unicode") + "\n"


def printable(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return "".join(char for char in text if char in "\t\n" or (char >= " " and not "\ud800" <= char <= "\udfff"))


__all__ = ["as_json", "as_junit", "as_text"]
