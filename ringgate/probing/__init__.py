"""Scheduled runs: which probes there are, when each is due, who runs it, and how nothing that ran is lost.

plan.py         pure: inventory and scenarios -> probes, each with its interval and its place in it
calendars.py    pure: why a tenant is left alone at a moment
timetable.py    pure: moments -> ticks, and what was missed or passed over
run_queue.py    ticks that wait for a worker, and those under way
worker_pool.py  the threads that run them
driver_pool.py  drivers, leased to one run at a time
spool.py        what ran, on disk before it is in the store
feeds.py        where ticks come from: the own timetable, or a queue shared with others
prober.py       all of it in one process; supervisor.py: several
distributed/    the same over many workers of a region
"""
