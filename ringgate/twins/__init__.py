"""Twins: what a run made, whole, against what runs like it made before.

A scenario looks at what its author thought of. Its twin is the whole of what came of it: every record that the run
made, with every field that the ERP names, read by the auditor before it is taken back. The run's own values are put
into words (`today+30`, `text 1`, `number of account.invoice 1`), so that two runs can be compared field by field.

    records.py      what a driver reads: records, their fields, links between them
    words.py        one run's values as words
    canonical.py    records and words -> `Twin`
    learning.py     passing runs -> `LearnedTwin`: what is the same in all of them
    comparison.py   a twin against a learned one -> findings
    accepted.py     a file that people review: which field became which, and what is accepted
    files.py        learned twins on disk
"""
