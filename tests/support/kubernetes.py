"""A real Kubernetes API on this machine: etcd, kube-apiserver and kube-controller-manager, asked by kubectl and helm.

There is no node: nothing runs in pods. `Node` says of each pod what a kubelet would, as a test tells it to. The
programs are those of envtest, found in $KUBEBUILDER_ASSETS or on the PATH; where one is missing, tests are skipped.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from ringgate.estate.processes import free_port

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
T = TypeVar("T")


@dataclass
class KubernetesApi:
    """`folder` has helm and kubectl, `config` is a kubeconfig of somebody who may do everything."""

    url: str
    folder: Path
    config: Path
    http: httpx.Client

    def kubectl(self, *words: str, stdin: str = "", config: Path | None = None) -> str:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.config.parent), "KUBECONFIG": str(config or self.config)}
        done = subprocess.run(
            [self.folder / "kubectl", *words], env=env, input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def items(self, path: str) -> list[dict[str, Any]]:
        return self.http.get(path).raise_for_status().json()["items"]

    def namespace(self, name: str) -> None:
        """Pods in it must keep the strictest of Kubernetes' own standards."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.http.post("/api/v1/namespaces", json={"metadata": {"name": name, "labels": labels}}).raise_for_status()
        until(lambda: self.http.get(f"/api/v1/namespaces/{name}/serviceaccounts/default").is_success)

    def account(self, namespace: str, name: str) -> Path:
        """A kubeconfig of this ServiceAccount, with its own token."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        token = self.http.post(path, json={"spec": {}}).raise_for_status().json()["status"]["token"]
        return written(self.config.with_name(f"{namespace}-{name}"), self.url, token)


@pytest.fixture(scope="session")
def kubernetes_api(kubernetes_programs, tmp_path_factory) -> Iterator[KubernetesApi]:
    assets = os.pathsep.join([os.environ.get("KUBEBUILDER_ASSETS", ""), os.environ["PATH"]])
    programs = {name: shutil.which(name, path=assets) for name in PROGRAMS}
    if missing := [name for name, at in programs.items() if at is None]:
        pytest.skip(
            f"{', '.join(missing)}: not in $KUBEBUILDER_ASSETS nor on the PATH; `setup-envtest use` brings two, "
            "the controller manager is one of Kubernetes' server binaries"
        )
    folder = tmp_path_factory.mktemp("kubernetes")
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, *options: str) -> None:
        with (folder / f"{name}.log").open("wb") as log:
            started.append(subprocess.Popen([str(programs[name]), *options], stdout=log, stderr=log, cwd=folder))

    try:
        yield _started(start, folder, kubernetes_programs)
    finally:
        for each in reversed(started):
            each.kill()
            each.wait()


def _started(start: Callable[..., None], folder: Path, programs: Path) -> KubernetesApi:
    store, peers, port, token = free_port(), free_port(), free_port(), secrets.token_hex(16)
    clients = f"http://127.0.0.1:{store}"
    start("etcd", "--data-dir=etcd", f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}",
          f"--listen-peer-urls=http://127.0.0.1:{peers}", "--unsafe-no-fsync")  # fmt: skip
    (folder / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    subprocess.run(["openssl", "genrsa", "-out", folder / "accounts.key", "2048"], check=True, capture_output=True)
    start("kube-apiserver", f"--etcd-servers={clients}", "--bind-address=127.0.0.1", f"--secure-port={port}",
          "--advertise-address=127.0.0.1", "--cert-dir=certificates", "--token-auth-file=tokens.csv",
          "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24", "--service-account-issuer=https://test",
          "--service-account-key-file=accounts.key", "--service-account-signing-key-file=accounts.key",
          "--endpoint-reconciler-type=none")  # fmt: skip
    url = f"https://127.0.0.1:{port}"
    config = written(folder / "admin", url, token)
    http = httpx.Client(base_url=url, verify=False, headers={"Authorization": f"Bearer {token}"})
    until(lambda: _ready(http), 120)
    start("kube-controller-manager", f"--kubeconfig={config}", "--leader-elect=false", "--bind-address=127.0.0.1",
          "--secure-port=0", "--service-account-private-key-file=accounts.key",
          "--concurrent-deployment-syncs=2")  # fmt: skip
    return KubernetesApi(url, programs, config, http)


def _ready(http: httpx.Client) -> bool:
    try:
        return http.get("/readyz").is_success
    except httpx.TransportError:
        return False


def written(path: Path, url: str, token: str) -> Path:
    cluster = {"server": url, "insecure-skip-tls-verify": True}
    path.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "here", "user": {"token": token}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "here"}}],
    }))  # fmt: skip
    return path


def until(condition: Callable[[], T], within: float = 60.0) -> T:
    end = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.1)
    return found


@dataclass
class Node:
    """What a kubelet would say of the pods of one namespace. Pods of Jobs end as `ends` says by the Job's kind of work
    (exit code and last words), others are ready."""

    api: KubernetesApi
    namespace: str
    ends: dict[str, tuple[int, str]] = field(default_factory=dict)
    ran: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Kind of work, and the pod, of each Job that came to its end."""

    def __enter__(self) -> Node:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        while not self._over.wait(0.1):
            for pod in self.api.items(path):
                at = pod["status"]
                if at.get("phase") != "Pending" or at.get("startTime") or not (said := self._said_of(pod)):
                    continue
                headers = {"Content-Type": "application/strategic-merge-patch+json"}
                self.api.http.patch(
                    f"{path}/{pod['metadata']['name']}/status", headers=headers,
                    json={"status": {"startTime": _now(), **said}},
                )  # fmt: skip

    def _said_of(self, pod: dict[str, Any]) -> dict[str, Any]:
        labels = pod["metadata"]["labels"]
        work = labels.get("ringgate/work")
        (container,) = pod["spec"]["containers"]
        about = {
            "name": container["name"],
            "image": container["image"],
            "imageID": container["image"],
            "restartCount": 0,
        }
        if work:
            end = self.ends.get(work, (0, "1048576"))
            self.ran.append((work, pod))
            done = {"exitCode": end[0], "message": end[1], "finishedAt": _now(), "startedAt": _now()}
            phase = "Failed" if end[0] else "Succeeded"
            return {"phase": phase, "containerStatuses": [{**about, "ready": False, "state": {"terminated": done}}]}
        ready = [
            {"type": each, "status": "True", "lastTransitionTime": _now()} for each in ("Ready", "ContainersReady")
        ]
        status = {**about, "ready": True, "state": {"running": {"startedAt": _now()}}}
        return {"phase": "Running", "conditions": ready, "containerStatuses": [status]}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
