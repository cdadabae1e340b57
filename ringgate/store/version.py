"""The version of a store's tables."""

SCHEMA_VERSION = 8
"""1: runs. 2: also `touches`. 3: runs say their source and when they were recorded; deployments, samples, tallies,
probers and figures. 4: labels and shapes of runs stand once, blocks hold the same runs as columns; retention holds.
5: runs say what their server said it is, deployments what it has to say; residue is known until it was taken back.
6: evidence. 7: blocks say how long runs posted.
8: blocks hold spans in whole microseconds."""
