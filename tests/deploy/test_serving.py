"""`ringgate serve` as a process: how it starts, what it refuses, how it ends, and that its log keeps secrets."""

from __future__ import annotations

import subprocess
import sys

import httpx
import pytest

from ringgate.store import Store
from tests.deploy.serving import Served, served

TOKEN = "the-token-of-this-test-0815"


def refused(server: Served, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ringgate.cli", "serve", *options]
    env = {**server.environment, **environment}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60, cwd=server.folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    token = folder / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    with served(folder, "--token-file", str(token)) as server:
        yield server


def test_the_token_is_required_and_never_in_the_log(server):
    assert httpx.get(server.address).status_code == 401
    assert httpx.get(server.address, auth=("anybody", TOKEN)).status_code == 200
    assert httpx.get(f"{server.address}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert httpx.get(f"{server.address}/api/v1/verdict?ring={TOKEN}", auth=("", TOKEN)).status_code == 200
    httpx.get(f"{server.address}/nowhere?token={TOKEN}")
    assert TOKEN not in server.log.read_text()


@pytest.mark.parametrize(
    ("options", "environment", "code", "words"),
    [
        (["--host", "0.0.0.0"], {}, 3, "a token is needed: --token-env or --token-file"),
        (["--token-env", "NOT_SET"], {}, 2, "environment variable NOT_SET is not set"),
        (["--token-env", "SHORT"], {"SHORT": "abc"}, 2, "has fewer than 4 characters"),
        (["--token-env", "A", "--token-file", "b"], {}, 3, "give one of them"),
        (["--horizon", "soon"], {}, 3, '--horizon: "soon" is no time with its unit'),
        (["--inventory", "nowhere"], {}, 3, "nowhere: is not a folder"),
        (["--signals", "nowhere.toml"], {}, 3, "nowhere.toml: cannot be read"),
        (["--policy", "nowhere.toml"], {}, 3, "nowhere.toml: cannot be read"),
        (["--results", "sqlite:////proc/none/x.sqlite"], {}, 2, "None"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_sentence(server, options, environment, code, words):
    done = refused(server, "--port", "0", *options, **environment)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("ringgate: ")
    assert "Traceback" not in done.stderr
    if words != "None":
        assert words in done.stderr


def test_a_port_that_is_taken_is_told(server):
    done = refused(server, "--port", server.port)
    assert done.returncode == 3
    assert f"127.0.0.1:{server.port} cannot be listened on (Address already in use)" in done.stderr


def test_it_ends_cleanly_when_it_is_told_to_and_keeps_what_it_added_up(tmp_path):
    with served(tmp_path) as server:
        assert server.stop() == 0
    assert server.log.read_text() == ""
    store = Store(server.results)
    assert store.figures("metrics") is not None
    store.close()
