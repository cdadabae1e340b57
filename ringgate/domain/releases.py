"""Whether a server runs the release that its results would be evidence for: by what it said of itself in the run.

contradiction("7.0.59", "8.0.12")                     # 'the server says 7.0.59, and 8.0.12 is expected'
contradiction("8.0.12", "tryton-8.0")                 # "": what both say is the same
contradiction("8.0.12", "spring", version="8.0.*")    # "": the pattern that was noted with the deployment fits
contradiction("8.0.12", "2027.03")                    # "": such a name is no version of an ERP, so nothing is said
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

_VERSION = re.compile(r"(?:[a-z]+[ _-]?)?v?(\d{1,3}(?:\.\d+)+)", re.IGNORECASE)
"""`8.0.12`, `v8.0`, `tryton-8.0`; not `2027.03`, which is a date."""


def expected_version(release: str, version: str = "") -> str:
    """What a server of this release says: `version`, a pattern with `*`, where somebody gave one; else what the
    release's own name states; "" where nobody knows."""
    if version:
        return version
    found = _VERSION.fullmatch(release.strip())
    return found.group(1) if found else ""


def contradiction(server: str, release: str, version: str = "") -> str:
    """What a server said, against what is expected of the release; "" where they agree or one of them says nothing.

    Numbers agree as far as both go: a server that names only its series does not contradict a release of it."""
    expected = expected_version(release, version)
    if not server or not expected:
        return ""
    if any(sign in expected for sign in "*?["):
        agree = fnmatchcase(server, expected)
    else:
        said, wanted = _parts(server), _parts(expected)
        most = min(len(said), len(wanted))
        agree = most > 0 and said[:most] == wanted[:most]
    return "" if agree else f"the server says {server}, and {expected} is expected"


def _parts(version: str) -> list[str]:
    """`19.0+e-20260101` -> ["19", "0"]: what comes after the number is a build's own."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return found.group().split(".") if found else []
