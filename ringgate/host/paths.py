"""Where Ringgate keeps things on this machine. Two roots, both movable by environment variable.

| root             | default                     | holds                                                             |
|------------------|-----------------------------|-------------------------------------------------------------------|
| `RINGGATE_HOME`  | `<XDG cache>/ringgate`      | what can be made again: `tools/`, `estates/<name>/`                 |
| `RINGGATE_STATE` | `<XDG state>/ringgate`      | what cannot: the undo journal, locks, results, learned twins       |

Nothing here creates a folder; whoever writes into one does.
"""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The root of what can be made again."""
    return _root("RINGGATE_HOME", "XDG_CACHE_HOME", ".cache")


def state() -> Path:
    """The root of what must survive."""
    return _root("RINGGATE_STATE", "XDG_STATE_HOME", ".local/state")


def tools() -> Path:
    """ERP environments, web clients, the embedded database, Node."""
    return home() / "tools"


def estate(name: str = "demo") -> Path:
    """One estate: `pg/ run/ logs/ secrets/<tenant>/<role> inventory/ estate.json`."""
    return home() / "estates" / name


def journal() -> Path:
    """What has been written to an ERP and not yet been undone."""
    return state() / "journal"


def spool() -> Path:
    """What probers ran and is not in the store yet."""
    return state() / "spool"


def locks() -> Path:
    """Locks that processes on this machine share."""
    return state() / "locks"


def twins() -> Path:
    """What passing runs of each tenant and scenario made, as learned."""
    return state() / "twins"


def results() -> Path:
    """The default store of results."""
    return state() / "results.sqlite"


def results_url(given: str | None = None) -> str:
    """The URL of the store of results: `given`, else `RINGGATE_RESULTS`, else SQLite under `RINGGATE_STATE`."""
    return given or os.environ.get("RINGGATE_RESULTS") or f"sqlite:///{results()}"


def reports() -> Path:
    """Where reports and evidence go: `reports/out/` of the folder Ringgate is started in."""
    return Path.cwd() / "reports" / "out"


def shipped(name: str) -> Path:
    """A folder that comes with Ringgate (`scenarios`, `suites`, `fixtures`, `tenants`, `deploy`, `reports/templates`):
    the source tree's where Ringgate runs from one, else what the wheel carries."""
    package = Path(__file__).resolve().parents[1]
    tree = package.parent if (package.parent / "pyproject.toml").is_file() else package / "_shipped"
    return tree / name


def expand(text: str) -> Path:
    """A path as people write it: `~` and `${RINGGATE_HOME}` are replaced, whether or not the variable is set."""
    return Path(text.replace("${RINGGATE_HOME}", str(home()))).expanduser()


def _root(variable: str, xdg: str, fallback: str) -> Path:
    given = os.environ.get(variable)
    if given:
        return Path(given).expanduser().absolute()
    base = os.environ.get(xdg)
    # XDG: a relative path in these variables is to be ignored.
    folder = Path(base) if base and Path(base).is_absolute() else Path.home() / fallback
    return folder / "ringgate"
