"""The same probes over many workers: a queue for each region on its own PostgreSQL, and one dispatcher for all of it.

jobs.py        the engine: ticks as jobs of Procrastinate, and back
dispatcher.py  elected by a lease: it puts in what is due, in the transaction that says up to when
feed.py        what a worker has in place of a timetable: it takes jobs as it has room for them
health.py      health and figures of one worker, over HTTP
setup.py       a worker, put together
"""
