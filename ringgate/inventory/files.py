"""Reads the files of an inventory, lays them over each other and words what is wrong with them.

The chain is defaults.toml, then the tenant's cohorts in the order it lists them, then its own file: later ones win,
tables merge by key, everything else replaces. A reference to a secret is one value and replaces as a whole.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)
Path_ = tuple[str | int, ...]
"""Where a value stands: ("policy", "tax", 0, "rate")."""

_SECRETIVE = re.compile(r"pass|secret|token|pwd|credential|api_?key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `file` as the user would open it, `key` dotted ("" for the whole file), `rule` in words.

    `got` is the value as written, "" where there is none or where it could be a secret.
    """

    file: str
    key: str
    rule: str
    got: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.file, self.key, self.rule))) + (f" (got {self.got})" if self.got else "")


@dataclass(frozen=True, slots=True)
class FileLayer:
    """One file's values. `file` is its name for people."""

    file: str
    data: Mapping[str, Any]


def read_layer(path: Path) -> FileLayer | Problem:
    """One TOML file as a layer, or what is wrong with it as a whole."""
    try:
        return FileLayer(str(path), tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except tomllib.TOMLDecodeError as error:
        return Problem(str(path), "", f"is not valid TOML: {error}")
    except UnicodeDecodeError:
        return Problem(str(path), "", "is not UTF-8 text")
    except OSError as error:
        return Problem(str(path), "", f"cannot be read: {error.strerror}")


def merge(
    layers: Sequence[FileLayer], onto: tuple[Mapping[str, Any], Mapping[Path_, str]] = ({}, {})
) -> tuple[dict[str, Any], dict[Path_, str]]:
    """The layers' values laid over each other, and for each leaf the file that it comes from. `onto` is what they are
    laid over; it stays as it is."""
    values, origins = dict(onto[0]), dict(onto[1])
    for layer in layers:
        _lay(values, layer.data, origins, (), layer.file)
    return values, origins


def _lay(below: dict[str, Any], above: Mapping[str, Any], origins: dict[Path_, str], at: Path_, file: str) -> None:
    for key, value in above.items():
        here = (*at, key)
        if isinstance(value, dict) and not _is_one_value(here):
            known = below.get(key)
            if key in below and not isinstance(known, dict):
                origins.pop(here, None)
            below[key] = dict(known) if isinstance(known, dict) else {}  # what is below may be that of other tenants
            _lay(below[key], value, origins, here, file)
        else:
            if isinstance(below.get(key), dict):
                _forget(origins, here)
            origins.pop(here, None)
            below[key] = value
            origins[here] = file


def _is_one_value(path: Path_) -> bool:
    """A reference to a secret, and a payment term: parts of two of them make none."""
    if path[0] == "integrations":
        return len(path) > 2 and path[-1] in ("password", "key")
    if path[0] == "users":
        return len(path) > 2 and path[-1] in ("password", "key", "one_time_codes")
    return path == ("policy", "payment_term")


def _forget(origins: dict[Path_, str], path: Path_) -> None:
    for known in [known for known in origins if known[: len(path)] == path]:
        del origins[known]


def origin_of(path: Path_, origins: Mapping[Path_, str]) -> str:
    """The file that a value, or the first value below it, comes from; "" if no file gives it."""
    for length in range(len(path), 0, -1):
        if path[:length] in origins:
            return origins[path[:length]]
    return next((file for known, file in origins.items() if known[: len(path)] == path), "")


def without_indexes(path: Path_, data: Any) -> Path_:
    """`path` as the file has it: a single tax table is checked as a list of one, and has no index there."""
    result: list[str | int] = []
    for part in path:
        if isinstance(part, int) and isinstance(data, dict):
            continue
        result.append(part)
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list | tuple) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            data = None
    return tuple(result)


def dotted(path: Path_) -> str:
    """("policy", "tax", 0, "rate") as people write it: policy.tax[0].rate."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            shown = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part)
            text += f".{shown}" if text else shown
    return text


def faults(table: type[BaseModel], data: Mapping[str, Any]) -> list[tuple[Path_, str, str, bool]]:
    """What `table` has against `data`: path, rule, got, and whether it is only that a key is missing."""
    return checked(table, data)[1]


def checked(table: type[Model], data: Mapping[str, Any]) -> tuple[Model | None, list[tuple[Path_, str, str, bool]]]:
    """`data` as the table has it, or None and what it has against it, as `faults` says it."""
    try:
        return table.model_validate(data), []
    except ValidationError as error:
        found = []
        for detail in error.errors(include_url=False):
            path = tuple(part for part in detail["loc"] if part != "[key]")
            path = without_indexes(path, data)
            missing = detail["type"] == "missing"
            found.append((path, _rule(detail, table, path), _got(detail, path), missing))
        return None, found


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or what there is if nothing is near and it is little."""
    names = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.65)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there is {', '.join(names)}" if 0 < len(names) <= 12 else ""


def _rule(detail: ErrorDetails, table: type[BaseModel], path: Path_) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return f"is not a known key{nearest(str(path[-1]), _keys_at(table, path[:-1]))}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "enum":
        return f"must be one of {str(context['expected']).replace(chr(39), '').replace(' or ', ', ')}"
    bounds = {
        "greater_than_equal": ("ge", "at least"),
        "less_than_equal": ("le", "at most"),
        "less_than": ("lt", "below"),
        "greater_than": ("gt", "above"),
    }
    if kind in bounds:
        bound, words = bounds[kind]
        return f"must be {words} {context[bound]}"
    words_for = {
        "missing": "is required",
        "int_type": "must be a whole number",
        "bool_type": "must be true or false",
        "string_type": "must be text in quotes",
        "string_too_short": "must not be empty",
        "decimal_parsing": 'must be a number as text, such as "0.20"',
        "decimal_type": 'must be a number as text, such as "0.20"',
        "tuple_type": "must be a list",
        "frozen_set_type": "must be a list",
        "model_type": "must be a table",
        "dict_type": "must be a table",
        "too_short": "must not be empty",
    }
    if kind.startswith("date"):
        return "must be a date, such as 2027-01-31"
    return words_for.get(kind, detail["msg"][:1].lower() + detail["msg"][1:])


def _got(detail: ErrorDetails, path: Path_) -> str:
    value = detail["input"]
    under_users = path[:1] == ("users",) and path[2:] != ("login",)
    secret_said = re.search("a password|the secret itself", detail["msg"])
    secretive = under_users or secret_said or any(_SECRETIVE.search(str(part)) for part in path)
    if secretive or detail["type"] in ("missing", "extra_forbidden") or isinstance(value, dict | BaseModel):
        return ""
    shown = json.dumps(value, default=str, ensure_ascii=False)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def _keys_at(table: type[BaseModel], path: Path_) -> list[str]:
    """The keys that may stand at `path`; none where any may."""
    kind: Any = table
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            known = kind.model_fields.get(str(part))
            kind = known.annotation if known else None
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
        elif get_origin(kind) is tuple and isinstance(part, int):
            kind = get_args(kind)[0]
        if get_origin(kind) in (Union, types.UnionType):
            kind = next((each for each in get_args(kind) if each is not type(None)), None)
    if get_origin(kind) is tuple:  # a single table where a list of them may stand
        kind = get_args(kind)[0]
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []
