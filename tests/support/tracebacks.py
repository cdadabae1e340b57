"""Every form in which pytest or Python itself can show an error."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import pytest


def forms_of_error(excinfo: pytest.ExceptionInfo[BaseException]) -> Iterator[tuple[str, str]]:
    """The name of a form, and the text in it; local variables included."""
    for style in ("long", "short", "line", "no", "native", "value"):
        for chain in (True, False):
            told = excinfo.getrepr(showlocals=True, style=style, chain=chain, truncate_locals=False)  # type: ignore[arg-type]
            yield f"pytest, {style}", str(told)
    each: BaseException | None = excinfo.value
    whole = traceback.TracebackException.from_exception(excinfo.value, capture_locals=True)
    yield "traceback", "".join(whole.format())
    while each is not None:
        yield "repr", f"{each!r} {each} {vars(each)!r}"
        each = each.__cause__ or each.__context__
