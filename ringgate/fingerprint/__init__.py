"""Compares a tenant's books before and after a change, and says why they differ.

before, after = files.read(path), books.fingerprint()
for difference in compare(before, after):
    print(difference.cause)    # invoice AE2026-0012 is now numbered AE2026-0099.
"""

from ringgate.fingerprint.comparison import compare
from ringgate.fingerprint.difference import Difference
from ringgate.fingerprint.loss import LostDocument, lost_documents
from ringgate.fingerprint.policy import (
    BooksJudgement,
    ComparisonPolicy,
    ComparisonPolicyError,
    Tolerances,
    judge,
    load,
)

__all__ = [
    "BooksJudgement",
    "ComparisonPolicy",
    "ComparisonPolicyError",
    "Difference",
    "LostDocument",
    "Tolerances",
    "compare",
    "judge",
    "load",
    "lost_documents",
]
