"""Steps of a script in savepoints: one that fails is noted and leaves nothing, and the others go on.

Nothing of Odoo is imported here: a cursor has `execute` and `dbname`, an environment `cr` and `context`.
"""

import functools
import logging
import re
from pathlib import Path

_logger = logging.getLogger("ringgate_hop")
OTHER = 99
"""The series of a script that is not OpenUpgrade's."""


def series_of(path):
    """The series that a script leads to, by the folder that it lies in; `OTHER` for one that is not OpenUpgrade's."""
    path = str(path)
    found = re.search(r"/(\d+)\.0\.[\d.]+/", path)
    if "openupgrade_scripts" not in path:
        return OTHER
    return int(found.group(1)) if found else 19


def read_known(file):
    """The steps that are known not to run, from a file of one a line; `#` begins a remark."""
    lines = (line.partition("#")[0].strip() for line in Path(file).read_text(encoding="utf-8").splitlines())
    return frozenset(line for line in lines if line)


class Guard:
    """Runs steps. `script` and `series` are those of the script under way."""

    def __init__(self, known=frozenset()):
        self.known, self.script, self.series = known, "?", OTHER
        self.steps_run, self.scripts_run = 0, 0
        self.failed = []
        self._inside = False

    def enter(self, path):
        """A script begins."""
        self.script, self.series = re.sub(r".*/scripts/", "", str(path)), series_of(path)

    def wrapped(self, function, label):
        """The function as a step. Only the outermost one is guarded; without a cursor there is nothing to guard."""

        @functools.wraps(function)
        def step(*args, **kwargs):
            cursor, environment = _places(args, kwargs)
            if cursor is None or self._inside:
                return function(*args, **kwargs)
            self._inside = True
            try:
                return self.run(cursor, environment, label, lambda: function(*args, **kwargs))
            finally:
                self._inside = False

        return step

    def run(self, cursor, environment, label, work, savepoint="hop_step"):
        """The result of the work, or None if it failed; then the database is as it was before."""
        if environment is not None:
            environment.flush_all()
        cursor.execute(f"SAVEPOINT {savepoint}")
        try:
            result = work()
            if environment is not None:
                environment.flush_all()
            cursor.execute(f"RELEASE SAVEPOINT {savepoint}")
        except Exception as problem:
            if environment is not None:
                environment.clear()
            cursor.clear()
            cursor.execute(f"ROLLBACK TO SAVEPOINT {savepoint}")
            self.note(label, problem)
            return None
        self.steps_run += 1
        return result

    def note(self, label, problem):
        """Writes down that a step failed."""
        step = f"{self.script} {label}"
        known = step in self.known
        self.failed.append((step, known))
        said = re.sub(r"\s+", " ", str(problem)).strip()[:300]
        _logger.warning("HOP %s %s: %s: %s", "KNOWN" if known else "FAILED", step, type(problem).__name__, said)


def _places(args, kwargs):
    """The cursor among arguments, and the environment that it comes from, if any."""
    for each in [*args, *kwargs.values()]:
        if hasattr(each, "cr") and hasattr(each, "context"):
            return each.cr, each
        if hasattr(each, "execute") and hasattr(each, "dbname"):
            return each, None
    return None, None


GUARD = Guard(read_known(Path(__file__).with_name("known_steps.txt")))
