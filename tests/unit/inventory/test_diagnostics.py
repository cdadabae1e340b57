"""Templates of links and the ERP's log: what an inventory may say, and what it is told."""

from __future__ import annotations

import pytest

from ringgate.inventory import InventoryError
from tests.unit.inventory.test_inventory import SMALLEST, load

LINKS = (
    SMALLEST.format(id="acme")
    + """
[links]
traces = "https://traces.example.com/${TENANT}/{trace_id}"
logs = 'https://logs.example.com/?query={app="erp"}|={run_id}'

[erp_log]
url = "https://logs.example.com/raw?q={marker}&from={since}"
token = { env = "LOGS_${TENANT}" }
"""
)


def test_templates_reach_the_tenant_with_its_id_filled_in(tmp_path):
    (acme,) = load(tmp_path, {"acme.toml": LINKS}).tenants
    assert acme.links["traces"] == "https://traces.example.com/acme/{trace_id}"
    assert acme.links["logs"] == 'https://logs.example.com/?query={app="erp"}|={run_id}'
    assert (acme.erp_log.url, acme.erp_log.token.reference) == (
        "https://logs.example.com/raw?q={marker}&from={since}", "environment variable LOGS_ACME",
    )  # fmt: skip


def test_a_file_counts_from_the_inventorys_folder(tmp_path):
    text = SMALLEST.format(id="acme") + '\n[erp_log]\nfile = "logs/${TENANT}.log"\n'
    (acme,) = load(tmp_path, {"acme.toml": text}).tenants
    assert acme.erp_log.file == str(tmp_path / "tenants" / "logs" / "acme.log")


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    text = (
        SMALLEST.format(id="acme")
        + """
[links]
traces = "https://traces.example.com/{trace}"
logs = "ftp://logs.example.com"

[erp_log]
file = "x.log"
command = ["tail", "{tenantt}"]
"""
    )
    with pytest.raises(InventoryError) as told:
        load(tmp_path, {"acme.toml": text})
    words = str(told.value)
    assert "{trace}: only trace_id, run_id, marker" in words
    assert "must be a URL with http or https" in words
    assert "{tenantt}: only trace_id" in words
    two = (
        SMALLEST.format(id="acme")
        + '\n[erp_log]\nfile = "x.log"\ntoken = { env = "T" }\nurl = "https://x.example.com"\n'
    )
    with pytest.raises(InventoryError, match="file and url: give one of them"):
        load(tmp_path, {"acme.toml": two})
