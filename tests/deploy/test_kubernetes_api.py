"""docs/examples/kubernetes and the chart of the workers against a real Kubernetes API: its objects, admission, rights
and controllers. No program runs in a pod: what a kubelet would say, `Node` of tests/support/kubernetes.py says.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from ringgate.rollout.platforms.command import CommandHosts
from ringgate.rollout.platforms.protocol import Platform, PlatformRequest, UpgradeRefused
from ringgate.rollout.release_tables import ManualStepTable
from tests.support.kubernetes import KubernetesApi, Node, kubernetes_api, until

__all__ = ["kubernetes_api"]

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "kubernetes"
STEP = ManualStepTable(name="7.6: columns", sql="ALTER TABLE ir_model RENAME COLUMN name TO string;")
TENANT = "aldgate"


class Erp:
    """A tenant of series 7.0 in a namespace of its own, driven with the rights of role.yaml alone."""

    def __init__(self, api: KubernetesApi, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api, self.namespace = api, f"erp-{os.urandom(4).hex()}"
        self.folder = folder / "kubernetes"
        shutil.copytree(EXAMPLE, self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "tenants", self.folder / "tenants")
        hosts = self.folder / "hosts.toml"
        hosts.write_text(
            hosts.read_text().replace('NAMESPACE = "erp"', f'NAMESPACE = "{self.namespace}"\nLOOK = "0.2"')
        )
        own = self.folder / "values" / f"{TENANT}.yaml"
        own.write_text(own.read_text() + "progressDeadlineSeconds: 3\n")
        api.namespace(self.namespace)
        api.kubectl("apply", "--namespace", self.namespace, "--filename", str(EXAMPLE / "role.yaml"))
        self.robot = api.account(self.namespace, "ringgate-rollout")
        monkeypatch.setenv("ERP_KUBECONFIG", str(self.robot))
        monkeypatch.setenv("PATH", str(api.folder), prepend=":")
        monkeypatch.setenv("RINGGATE_STATE", str(folder / "state"))
        self.platform: Platform = CommandHosts().open(PlatformRequest(str(hosts)), [], Console(quiet=True)).platform

    def tool(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        env = {**os.environ, "KUBECONFIG": str(self.robot), "NAMESPACE": self.namespace, "HELM_DRIVER": "configmap",
               "LOOK": "0.2", **variables}  # fmt: skip
        return subprocess.Popen([str(self.folder / "kube.py"), *words], env=env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True)  # fmt: skip

    def helm(self, *words: str) -> str:
        env = {**os.environ, "KUBECONFIG": str(self.robot), "HELM_DRIVER": "configmap"}
        command = [str(self.api.folder / "helm"), *words, f"--namespace={self.namespace}"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def stand(self) -> None:
        chart = [str(self.folder / "chart"), f"--values={self.folder / 'values' / f'{TENANT}.yaml'}"]
        assert "STATUS: deployed" in self.helm("install", TENANT, *chart, '--set-json=series="7.0"')

    def items(self, kind: str, group: str = "api/v1") -> list[dict[str, Any]]:
        return self.api.items(f"/{group}/namespaces/{self.namespace}/{kind}")


@pytest.fixture
def erp(kubernetes_api, tmp_path, monkeypatch) -> Erp:
    return Erp(kubernetes_api, tmp_path, monkeypatch)


@pytest.fixture
def node(erp) -> Iterator[Node]:
    with Node(erp.api, erp.namespace) as node:
        erp.stand()
        until(lambda: json.loads(erp.tool("status", TENANT).communicate()[0] or "{}").get("busy") is False)
        yield node


def images() -> dict[str, str]:
    values = yaml.safe_load((EXAMPLE / "chart" / "values.yaml").read_text())
    return {series: image.partition("@")[2] for series, image in values["images"].items()}


def test_a_tenant_is_upgraded_restored_beside_itself_and_taken_back(erp, node):
    assert erp.platform.series(TENANT) == "7.0"
    assert erp.platform.artefacts(TENANT) == {"erp-image": images()["7.0"]}
    taken = erp.platform.upgrade(TENANT, "8.0", [STEP], nullcontext)
    assert erp.platform.series(TENANT) == "8.0"
    assert erp.platform.artefacts(TENANT) == {"erp-image": images()["8.0"]}
    assert [each.name for each in erp.platform.backups(TENANT)][-1] == taken.name
    assert taken.size == 1048576
    assert [kind for kind, _ in node.ran] == [
        "backup",
        "backup",
        "migrate",
    ]  # before the upgrade, and when it was closed
    migrated = node.ran[-1][1]["spec"]
    assert migrated["containers"][0]["image"].endswith(images()["8.0"])
    (steps,) = (each["configMap"] for each in migrated["volumes"] if each["name"] == "steps")
    assert steps == {
        "name": f"ringgate-{TENANT}",
        "items": [{"key": "step-000.sql", "path": "000.sql"}],
        "defaultMode": 420,
    }

    with erp.platform.beside(TENANT, taken.name) as copy:
        assert re.fullmatch(rf"https://({TENANT}-\w+)\.copies\.example\.com/\1", copy.api)
        assert len(erp.items("ingresses", "apis/networking.k8s.io/v1")) == 2
    assert len(erp.items("ingresses", "apis/networking.k8s.io/v1")) == 1
    assert node.ran[-1][0] == "drop"

    erp.platform.roll_back(TENANT, taken.name)
    assert erp.platform.series(TENANT) == "7.0"
    assert node.ran[-1][0] == "restore"
    assert not erp.platform.repair(TENANT)


def test_a_migration_that_fails_is_refused_and_the_tenant_is_served_as_it_was(erp, node):
    node.ends["migrate"] = (1, "column name does not exist")
    with pytest.raises(UpgradeRefused, match="column name does not exist") as refused:
        erp.platform.upgrade(TENANT, "8.0", [STEP], nullcontext)
    assert not refused.value.doubtful
    assert erp.platform.series(TENANT) == "7.0"
    assert [kind for kind, _ in node.ran] == ["backup", "backup", "migrate", "restore"]


def test_the_robot_reads_no_secret(erp):
    said = erp.api.http.post(
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        json={"spec": {"user": f"system:serviceaccount:{erp.namespace}:ringgate-rollout",
                       "resourceAttributes": {"namespace": erp.namespace, "verb": "get", "resource": "secrets"}}},
    )  # fmt: skip
    assert said.json()["status"] == {"allowed": False}


@pytest.mark.parametrize("region", ["eu-west", "us-east"])
def test_workers_stand_where_only_restricted_pods_may_and_keep_their_volumes(kubernetes_api, region):
    namespace = f"workers-{os.urandom(4).hex()}"
    kubernetes_api.namespace(namespace)
    chart = ROOT / "deploy" / "helm" / "workers"
    env = {**os.environ, "KUBECONFIG": str(kubernetes_api.config)}
    done = subprocess.run(
        [kubernetes_api.folder / "helm", "install", "workers", chart, f"--namespace={namespace}",
         f"--values={chart / 'regions' / f'{region}.yaml'}", "--set=autoscaling.by=hpa"],
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    stateful = f"/apis/apps/v1/namespaces/{namespace}/statefulsets/ringgate-workers"
    patch = {"Content-Type": "application/merge-patch+json"}
    pods, claims = (f"/api/v1/namespaces/{namespace}/{each}" for each in ("pods", "persistentvolumeclaims"))
    kubernetes_api.http.patch(stateful, json={"spec": {"replicas": 3}}, headers=patch).raise_for_status()
    until(lambda: len(kubernetes_api.items(pods)) == 3 and len(kubernetes_api.items(claims)) == 3)
    budget = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets/ringgate-workers"
    until(lambda: kubernetes_api.http.get(budget).json().get("status", {}).get("expectedPods") == 3)
    kubernetes_api.http.patch(stateful, json={"spec": {"replicas": 2}}, headers=patch).raise_for_status()
    until(lambda: len(kubernetes_api.items(pods)) == 2)
    assert len(kubernetes_api.items(claims)) == 3


def test_the_manifests_of_one_machine_are_taken(kubernetes_api):
    manifest = (ROOT / "deploy" / "kubernetes" / "ringgate.yaml").read_text()
    kubernetes_api.kubectl("apply", "--filename=-", stdin=manifest.split("---\n")[0])
    kubernetes_api.kubectl("apply", "--dry-run=server", "--filename=-", stdin=manifest)
