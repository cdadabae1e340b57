"""Turns a template of `reports/templates` and what it shows into one HTML file that stands alone."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

from ringgate.domain.errors import RinggateError
from ringgate.host import paths
from ringgate.host.atomic_files import write_atomically


def write_page(template: str, context: Mapping[str, Any], out: Path) -> Path:
    """Writes the page to the file `out` and returns it; an older page is replaced only by a complete one.

    Raises RinggateError if `out` cannot be written.
    """
    text = render(template, context)
    try:
        write_atomically(out, text)
    except OSError as problem:
        why = f"the report could not be written to {out} ({problem.strerror or 'unknown reason'})"
        raise RinggateError(f"{why}: choose another place for it") from problem
    return out


def render(template: str, context: Mapping[str, Any], script: str = "report.js") -> str:
    """A template of `reports/templates` with what it shows. `script` is the one that its page may run."""
    templates = paths.shipped("reports/templates")
    env = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_compiled(),
    )
    code = (templates / script).read_text(encoding="utf-8")
    # The policy names the script by its hash, so that no other script runs even if something got past the escaping.
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return env.get_template(template).render(context, script=code, script_hash=digest)


def _compiled() -> FileSystemBytecodeCache | None:
    """Where compiled templates are kept, which takes longer than to fill them; nowhere if that cannot be written."""
    folder = paths.home() / "templates"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return FileSystemBytecodeCache(str(folder)) if os.access(folder, os.W_OK) else None
