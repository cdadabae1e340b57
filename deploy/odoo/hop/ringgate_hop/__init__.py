"""Brings a database of Odoo 14.0 to 19.0 in one hop, with OpenUpgrade's scripts of 15.0 to 19.0. OCA do not support it.

Loaded as a server-wide module of a 19.0 that updates all modules (`-u all`). What it changes in the running server:

| module       | what                                                                                            |
|--------------|-------------------------------------------------------------------------------------------------|
| `scripts`    | each script sees its own series' renamings; each of its steps runs in a savepoint                |
| `library`    | openupgradelib's functions skip what an earlier script has done already                          |
| `data`       | data files meet records of models that are gone; rules and templates get 19.0's own text         |
| `left_over`  | what five series left behind goes by one statement for each table                                |
| `steps`      | what the cores of 15.0 to 18.0 would have added between two scripts; a few steps in other words  |

The log has one line for each step that could not run: `HOP KNOWN` for those of `known_steps.txt`, which have nothing to
do here or are done otherwise, `HOP FAILED` for any other. `HOP DONE` ends a hop that came to its end.
"""

from . import data, left_over, library, scripts, steps

scripts.install()
library.install()
data.install()
left_over.install()

__all__ = ["data", "left_over", "library", "scripts", "steps"]
