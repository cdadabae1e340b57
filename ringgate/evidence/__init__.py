"""What was decided, by whom, on what: kept in the store so that nobody changes it unnoticed."""

from ringgate.evidence.actor import this_actor
from ringgate.evidence.chain import ChainReport, EvidenceChain
from ringgate.evidence.entry import EvidenceActor, EvidenceEntry, EvidenceKind, EvidenceUnreadable, NewEvidence
from ringgate.evidence.witness import ChainHead

__all__ = [
    "ChainHead",
    "ChainReport",
    "EvidenceActor",
    "EvidenceChain",
    "EvidenceEntry",
    "EvidenceKind",
    "EvidenceUnreadable",
    "NewEvidence",
    "this_actor",
]
