"""From the store, the inventory and a policy's file to a verdict of the gate, and its forms for people and programs."""

from ringgate.judging.formats import as_json, as_junit, as_text
from ringgate.judging.judge import Judge
from ringgate.judging.policy_file import PolicyError, load_policy

__all__ = ["Judge", "PolicyError", "as_json", "as_junit", "as_text", "load_policy"]
