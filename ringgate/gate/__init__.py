"""The gate: evidence in, verdict out. Pure: nothing here reads, writes or asks for the time.

    baseline = learn(results_before, samples_before, "canary", tenants, policy)
    bake = Bake("canary", "8.0.3", ring, later, starts=starts, baseline=baseline, policy=policy, now=now)
    for result in results: bake.add(result)
    verdict = bake.verdict(now)
    verdict.word, verdict.action        # ("fail", "pause")
    verdict.reasons[0].sentence         # "14 of 300 runs failed: the bet on failures stands at 2,310 units, ..."

In words for a release manager: start with 1 unit and bet it against the release, at odds that are fair under the old
failure rate. At 1/alpha units the rollout pauses. A healthy release gets there at most once in 1/alpha bakes, however
often anybody looks. What else stops it stands in `rules.py`, one function for each rule.
"""

from ringgate.gate.attribution import Attribution, Cause, attribute, grouped
from ringgate.gate.bake import Bake
from ringgate.gate.baseline import Baseline, learn
from ringgate.gate.blast import BlastRadius, blast_radius
from ringgate.gate.facts import Facts, GateState
from ringgate.gate.policy import GatePolicy
from ringgate.gate.rules import RULES, Reason, reasons, state_of
from ringgate.gate.signals import Signal
from ringgate.gate.silence import Due
from ringgate.gate.verdict import Action, SignalEvidence, Verdict, Word

__all__ = [
    "RULES",
    "Action",
    "Attribution",
    "Bake",
    "Baseline",
    "BlastRadius",
    "Cause",
    "Due",
    "Facts",
    "GatePolicy",
    "GateState",
    "Reason",
    "Signal",
    "SignalEvidence",
    "Verdict",
    "Word",
    "attribute",
    "blast_radius",
    "grouped",
    "learn",
    "reasons",
    "state_of",
]
