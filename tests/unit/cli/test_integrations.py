"""`ringgate integrations`: lists, checks and shows; bad input is told at once with file, key and rule."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ringgate.cli import run
from tests.unit.inventory.test_inventory import SMALLEST, write

PAYROLL = """
[integrations.payroll]
kind = "csv"
address = "file://{folder}/${{TENANT}}"
owner = "payroll-team"
within = "15 min"
fields = {{ marker = "note", id = "line", hours = "hours" }}
"""


@pytest.fixture
def inventory(tmp_path) -> Path:
    folder = tmp_path / "far"
    (folder / "acme").mkdir(parents=True)
    (folder / "acme" / "a.csv").write_text("line,note,hours\n1,RG-1,7.5\n2,RG-2,-1\n")
    return write(tmp_path, {"acme.toml": SMALLEST.format(id="acme") + PAYROLL.format(folder=folder)})


def ringgate(*arguments: object) -> int:
    return run(["integrations", *map(str, arguments)])


def test_integrations_are_listed_with_their_owner(inventory, capsys):
    assert ringgate("list", "-i", inventory, "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["tenant"], row["name"], row["kind"], row["within_seconds"], row["owner"]) == (
        "acme", "payroll", "csv", 900.0, "payroll-team",
    )  # fmt: skip
    assert ringgate("list", "-i", inventory) == 0
    assert "payroll-team" in capsys.readouterr().out


def test_a_far_end_that_cannot_be_read_ends_with_2(inventory, capsys, tmp_path):
    assert ringgate("check", "-i", inventory) == 0
    assert capsys.readouterr().out.splitlines() == ["acme payroll: can be read", "1 integration: all can be read"]
    for each in (tmp_path / "far" / "acme").iterdir():
        each.unlink()
    (tmp_path / "far" / "acme").rmdir()
    assert ringgate("check", "-i", inventory) == 2
    assert "No such file or directory" in capsys.readouterr().out


def test_what_arrived_of_a_document_is_shown(inventory, capsys):
    assert ringgate("seen", "RG-1", "--tenant", "acme", "-i", inventory) == 0
    assert capsys.readouterr().out == "payroll: 1, hours 7.5\n"
    assert ringgate("seen", "RG-2", "--tenant", "acme", "-i", inventory) == 0
    assert capsys.readouterr().out == "payroll: 2, hours -1, reversal yes\n"
    assert ringgate("seen", "RG-3", "--tenant", "acme", "-i", inventory) == 1
    assert capsys.readouterr().out == "RG-3 arrived nowhere\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["seen", "RG-1", "--tenant", "acme", "--since", "soon"], "must be a time with its unit (s, min, h, d)"),
        (["check", "--name", "pay-roll"], "no such integration: pay-roll; did you mean payroll?"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(inventory, capsys, arguments, why):
    assert ringgate(*arguments, "-i", inventory) == 3
    assert why in capsys.readouterr().err


def test_a_tenant_without_integrations_is_told_what_to_add(tmp_path, capsys):
    write(tmp_path, {"acme.toml": SMALLEST.format(id="acme")})
    assert ringgate("check", "-i", tmp_path / "tenants") == 3
    assert "states no integration for these tenants: add [integrations.<name>]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("kind", '"fax"', "no observer is installed for fax; there is csv, json, mail, nats, s3, sql"),
        ("within", '"soon"', "integrations.payroll.within: must be a time with its unit"),
        ("address", '"ftp://payroll"', "address must begin with file:// or sftp:// for csv"),
        ("address", '"sftp://me:secret@payroll/out"', "address must not carry a user or a password"),
        ("address", '"sftp://payroll/out"', "sftp needs user, and password or key"),
        ("fields", "{ id = 'x', size = 'y' }", "size is not one of marker, id, tenant"),
        ("fields", "{ id = 'x' }", "marker is required"),
        ("settings", '{ query = "SELECT 1" }', "settings.query is not for csv"),
        ("password", '"hunter22"', "must be a reference"),
        ("kind", '"nats"\naddress = "nats://broker"', "nats needs the stream in its address"),
        (
            "kind",
            '"s3"\naddress = "s3://bucket"\nuser = "me"',
            "s3 needs user, the access key, and password, its secret",
        ),
        ("owners", '"x"', "integrations.payroll.owners: is not a known key; did you mean owner?"),
    ],
)
def test_what_is_wrong_in_the_inventory_is_told_with_its_key(tmp_path, capsys, key, value, rule):
    given = {key, *re.findall(r"^(\w+) =", value, re.MULTILINE)}
    lines = [line for line in PAYROLL.format(folder=tmp_path).splitlines() if line.partition(" =")[0] not in given]
    write(tmp_path, {"acme.toml": SMALLEST.format(id="acme") + "\n".join([*lines, f"{key} = {value}", ""])})
    assert run(["tenants", "check", "-i", str(tmp_path / "tenants")]) == 1
    said = capsys.readouterr().out
    assert "acme.toml: integrations.payroll" in said
    assert rule in said
    assert "hunter22" not in said
    assert "me:secret" not in said
