"""Two regions with a database each: nothing of a region's tenants comes into the other, or is told outside."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import httpx
import pytest

from ringgate.estate.processes import free_port
from ringgate.shared.database import SharedDatabase
from ringgate.store import Store
from tests.support.region import Region, until

TENANTS = {"eu": ("tenant-0000", "tenant-0001"), "us": ("tenant-0002",)}
OTHER = {"eu": "us", "us": "eu"}
SECRETS = {
    f"SECRET_{name.replace('-', '_').upper()}": f"known-to-{name}-alone" for ids in TENANTS.values() for name in ids
}
"""Every worker could reveal all of them, if it were let."""

DOCS = Path(__file__).parents[2] / "docs" / "workers.md"


@pytest.fixture
def databases(region_cluster, region_url):
    region_cluster.create_database("other")
    urls = {"eu": region_url, "us": region_cluster.url("other")}
    return {name: url.replace("postgresql://", "postgresql+psycopg://") for name, url in urls.items()}


@pytest.fixture
def region(tmp_path, region_cluster, region_url):
    """One inventory of two regions."""
    made = Region(tmp_path, region_cluster, region_url)
    defaults = tmp_path / "tenants" / "defaults.toml"
    defaults.write_text(defaults.read_text().replace("RINGGATE_BENCH_SECRET", "SECRET_${TENANT}"))
    for name, ids in TENANTS.items():
        for each in ids:
            file = tmp_path / "tenants" / f"{each}.toml"
            file.write_text(f'region = "{name}"\nresidency = "{name}"\n{file.read_text()}')
    yield made
    made.end()


def everything(url: str) -> str:
    """Every row of every table, as text."""
    database = SharedDatabase(url)

    def read(connection) -> str:
        tables = connection.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        rows = [connection.execute(f"SELECT t::text FROM {table} t").fetchall() for (table,) in tables]
        return "\n".join(text for each in rows for (text,) in each)

    try:
        return database.do(read)
    finally:
        database.close()


def on_disk(folder: Path) -> str:
    return "\n".join(path.read_text(errors="replace") for path in sorted(folder.rglob("*")) if path.is_file())


def test_each_region_keeps_its_own_to_itself(region, databases):
    ports = {name: free_port() for name in TENANTS}
    for name, url in databases.items():
        health = ("--health", str(ports[name]))
        region.start(name, *health, results=url, RINGGATE_RESIDENCY=name, **SECRETS)
    stores = {name: Store(url) for name, url in databases.items()}
    try:
        for name, ids in TENANTS.items():
            until(lambda name=name, ids=ids: {each.tenant for each in stores[name].results()} >= set(ids))
    finally:
        for each in stores.values():
            each.close()
    told = {name: httpx.get(f"http://127.0.0.1:{port}/metrics").text for name, port in ports.items()}
    for each in region.workers:
        each.send_signal(signal.SIGTERM)
    assert [each.wait(60) for each in region.workers] == [0, 0]

    for place, (name, url) in enumerate(databases.items()):
        kept = everything(url) + on_disk(region.folder / f"machine-{place}") + on_disk_log(region, place)
        assert all(each in kept for each in TENANTS[name])
        assert not [each for each in TENANTS[OTHER[name]] if each in kept]
        assert not [each for each in SECRETS.values() if each in kept + told[name]]
        assert "tenant-" not in told[name]  # what is told outside of the region names none at all
    figures = set(re.findall(r"^# HELP (\w+)", told["eu"], re.MULTILINE))
    listed = set(re.findall(r"^\| `(ringgate_\w+)` \|", DOCS.read_text(), re.MULTILINE))
    assert figures == listed


def on_disk_log(region: Region, place: int) -> str:
    return (region.folder / f"machine-{place}.log").read_text()


def test_a_worker_of_another_residency_begins_nothing(region, databases):
    worker = region.start("us", results=databases["us"], RINGGATE_RESIDENCY="eu", **SECRETS)
    assert worker.wait(60) == 3
    assert "none of these tenants has the residency eu" in on_disk_log(region, 0)
