"""docs/examples/kubernetes without a cluster: its file can be read, helm makes of its chart what Kubernetes' schemas
allow, and a cluster that cannot be reached is nobody's fault."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import yaml
from rich.console import Console

from ringgate.estate.postgres import SUPERUSER, Cluster
from ringgate.estate.processes import free_port
from ringgate.rollout.platforms.command import CommandHosts
from ringgate.rollout.platforms.protocol import PlatformRequest
from ringgate.rollout.platforms.registry import PlatformError

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "kubernetes"
TENANT = "aldgate"
WORK = {
    "backup": {"backup": "aldgate-1"},
    "restore": {"backup": "aldgate-1", "database": "aldgate-copy"},
    "migrate": {"steps": 2},
    "drop": {"database": "aldgate-copy"},
}


@pytest.fixture
def hosts(tmp_path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "kubernetes", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tenants", tmp_path / "kubernetes" / "tenants")
    return tmp_path / "kubernetes" / "hosts.toml"


def test_its_file_is_right_and_calls_what_its_tool_has(hosts):
    inventory, series = CommandHosts().foreseen(PlatformRequest(str(hosts)))
    assert inventory.tenants
    assert series == ("7.0", "8.0")
    called = set(re.findall(r'"\./kube\.py", "([\w-]+)"', hosts.read_text()))
    listed = [sys.executable, "-B", "-c", "import json, kube; print(json.dumps(list(kube.ACTIONS)))"]
    offered = subprocess.run(listed, cwd=hosts.parent, capture_output=True, text=True, check=True).stdout
    assert called == set(json.loads(offered))


@pytest.mark.parametrize("kind", WORK)
def test_each_job_is_one_of_kubernetes(kind, kubernetes_programs, python_checkers, tmp_path):
    work = json.dumps({"kind": kind, "name": f"aldgate-{kind}", **WORK[kind]})
    values = [
        "--values",
        EXAMPLE / "values" / "aldgate.yaml",
        "--set-json",
        'series="7.0"',
        "--set-json",
        f"work={work}",
    ]
    made = subprocess.run([kubernetes_programs / "helm", "template", "aldgate", EXAMPLE / "chart", *values],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert made.returncode == 0, made.stderr
    path = tmp_path / "made.yaml"
    path.write_text(made.stdout)
    done = subprocess.run(
        [python_checkers / "kubernetes-validate", "--strict", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kinds = [each["kind"] for each in yaml.safe_load_all(made.stdout)]
    assert sorted(kinds) == ["Deployment", "Ingress", "Job", "Service"]


def test_helm_refuses_a_series_without_an_image(kubernetes_programs):
    done = subprocess.run(
        [kubernetes_programs / "helm", "template", "aldgate", EXAMPLE / "chart", "--set-json", 'series="9.0"'],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert 'there is no image of the series "9.0"' in done.stderr


def test_of_a_cluster_that_cannot_be_reached_nobody_can_tell(hosts, kubernetes_programs, monkeypatch, tmp_path):
    here = {"name": "here"}
    config = tmp_path / "kubeconfig"
    config.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [here | {"cluster": {"server": f"https://127.0.0.1:{free_port()}"}}],
        "users": [here | {"user": {"token": "nobody"}}],
        "contexts": [here | {"context": {"cluster": "here", "user": "here"}}],
    }))  # fmt: skip
    monkeypatch.setenv("ERP_KUBECONFIG", str(config))
    monkeypatch.setenv("PATH", str(kubernetes_programs), prepend=":")
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    platform = CommandHosts().open(PlatformRequest(str(hosts)), ["7.0", "8.0"], Console(quiet=True)).platform
    with pytest.raises(PlatformError, match=r"ended with 75: nobody can tell .* was refused"):
        platform.series("aldgate")


class Jobs:
    """Runs the shell scripts of the chart's Jobs, as helm makes them, on a PostgreSQL of this machine."""

    def __init__(self, helm: Path, cluster: Cluster, folder: Path) -> None:
        self.helm, self.cluster, self.folder = helm, cluster, folder
        for each in ("backups", "steps"):
            (folder / each).mkdir()

    def run(self, kind: str, container: str = "containers", **work: object) -> subprocess.CompletedProcess[str]:
        what = json.dumps({"kind": kind, "name": "job", **work})
        made = subprocess.run(
            [self.helm, "template", TENANT, EXAMPLE / "chart", "--show-only=templates/work.yaml",
             "--set-json", 'series="7.0"', "--set-json", f"work={what}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        (inside,) = yaml.safe_load(made.stdout)["spec"]["template"]["spec"][container]
        shell, option, script = inside["command"]
        for there in ("/backups", "/steps", "/dev/termination-log"):
            script = script.replace(there, str(self.folder / there.strip("/").replace("dev/", "")))
        own = {each["name"]: each.get("value", "") for each in inside["env"]}
        env = {
            "PATH": f"{self.cluster.binaries}:/usr/bin:/bin",
            "PGHOST": str(self.cluster.sockets),
            "PGUSER": SUPERUSER,
        }
        return subprocess.run([shell, option, script], env=env | own, capture_output=True, text=True, check=False)

    def value(self, database: str) -> str:
        with psycopg.connect(self.cluster.url(database)) as connection:
            return connection.execute("SELECT value FROM books").fetchone()[0]


@pytest.fixture
def jobs(kubernetes_programs, region_cluster, tmp_path) -> Jobs:
    made = Jobs(kubernetes_programs / "helm", region_cluster, tmp_path)
    made.cluster.create_database(TENANT)
    with psycopg.connect(made.cluster.url(TENANT), autocommit=True) as connection:
        connection.execute("CREATE TABLE books AS SELECT 'as it was' AS value")
    return made


def test_what_the_jobs_run_backs_up_restores_beside_and_in_place_and_drops(jobs):
    done = jobs.run("backup", backup="one")
    assert done.returncode == 0, done.stderr
    assert int((jobs.folder / "termination-log").read_text()) == (jobs.folder / "backups" / "one.dump").stat().st_size
    with psycopg.connect(jobs.cluster.url(TENANT), autocommit=True) as connection:
        connection.execute("UPDATE books SET value = 'spoilt'")
        for database in (f"{TENANT}-copy", TENANT):  # the tenant's own while somebody is connected to it
            done = jobs.run("restore", backup="one", database=database)
            assert done.returncode == 0, done.stderr
            assert jobs.value(database) == "as it was"
    assert jobs.run("drop", database=f"{TENANT}-copy").returncode == 0
    assert jobs.run("drop", database=f"{TENANT}-copy").returncode == 0  # asked for again
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        jobs.value(f"{TENANT}-copy")


def test_a_backup_that_is_not_there_or_is_damaged_leaves_the_database_alone(jobs):
    (jobs.folder / "backups" / "damaged.dump").write_bytes(b"PGDMP")
    for name in ("missing", "damaged"):
        assert jobs.run("restore", backup=name, database=TENANT).returncode
        assert jobs.value(TENANT) == "as it was"


def test_manual_steps_run_in_order_and_the_first_that_fails_ends_them(jobs):
    steps = {"000": ", one", "001": ", two' || 1/0 || '", "002": ", three"}
    for name, said in steps.items():
        (jobs.folder / "steps" / f"{name}.sql").write_text(f"UPDATE books SET value = value || '{said}';")
    done = jobs.run("migrate", "initContainers", steps=3)
    assert done.returncode
    assert "division by zero" in done.stderr
    assert jobs.value(TENANT) == "as it was, one"
