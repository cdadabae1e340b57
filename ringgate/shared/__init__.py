"""What the machines of a region share, in the region's own PostgreSQL: who lives, who runs where, what is to be undone.

database.py    connections, tables, and the lease by which a process is known to live
run_locks.py   two runs of one scenario never overlap on a tenant; caps for a tenant, a host and all
journal.py     the undo journal: what must be taken back is committed before it is done
"""
