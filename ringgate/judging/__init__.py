"""From the store, the inventory and a policy's file to a verdict of the gate, and its forms for people and programs."""

from ringgate.judging.formats import as_json, as_junit, as_text
from ringgate.judging.judge import Judge
from ringgate.judging.policy_file import GatePolicyError, load_policy
from ringgate.judging.regions.judge import RegionalJudge

__all__ = ["GatePolicyError", "Judge", "RegionalJudge", "as_json", "as_junit", "as_text", "load_policy"]
