"""Load on an ERP: processes run as so many users at once, what the platform says meanwhile, and where it gives way.

profile.py      how many users, or arrivals a second, when                     pure
generator.py    the users: threads that run processes and take them back
outcome.py      what came of it, and its file
bottleneck.py   what gave way first                                             pure
comparison.py   the same load before and after a change                         pure
"""
