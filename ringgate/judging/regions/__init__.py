"""One verdict over tenants of several regions, made from what leaves each region and from nothing else.

    send_segments(store, folder, "eu-west", inventory, scenarios)      # in the region
    take_segments(store, folder)                                        # where all regions are judged
    RegionalJudge(lambda: Store(url), inventory, policy).verdict(...)   # inconclusive while a region is silent

`wire` is the list of what crosses. The same results come to the same verdict as on one machine.
"""

from ringgate.judging.regions.feeds import BEHIND, Feeds, RegionState, feeds_of
from ringgate.judging.regions.judge import RegionalJudge
from ringgate.judging.regions.sending import send_segments, step_words
from ringgate.judging.regions.taking import Taken, take_in, take_segments, taking_in
from ringgate.judging.regions.wire import Segment, SegmentError

__all__ = [
    "BEHIND",
    "Feeds",
    "RegionState",
    "RegionalJudge",
    "Segment",
    "SegmentError",
    "Taken",
    "feeds_of",
    "send_segments",
    "step_words",
    "take_in",
    "take_segments",
    "taking_in",
]
