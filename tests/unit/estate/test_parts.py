"""What the estate decides without any server: tenants, files, ports, processes, series."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import cast

import psutil
import psycopg
import pytest

from ringgate.estate import Estate, ports, tenant_set
from ringgate.estate.errors import EstateError, in_one_sentence
from ringgate.estate.postgres import Cluster
from ringgate.estate.processes import Daemon, free_port, same_process, write_atomically
from ringgate.estate.progress import Progress
from ringgate.estate.record import EstateRecord, Place
from ringgate.estate.serving import Serving
from ringgate.estate.tools import Tools, key, lock, run
from ringgate.estate.tryton import install
from ringgate.estate.tryton.kind import TrytonEstate
from ringgate.estate.tryton.series import V70
from ringgate.estate.tryton.server import TrytonServer
from ringgate.inventory import Inventory

KIND = TrytonEstate()
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


# --- tenants -------------------------------------------------------------------------------------------------------


def test_the_demo_tenants_come_first_and_others_are_variations() -> None:
    members = tenant_set.members(KIND.tenants, 24)
    assert [member.id for member in members[:5]] == ["aldgate", "bleecker", "cologne", "kyoto", "barbican"]
    assert len({member.id for member in members}) == 24
    assert members[4].archetype.id == "aldgate"
    assert members[4].name != members[0].name
    assert members[4].threshold != members[0].archetype.policy.approval.threshold
    assert members[0].threshold is None
    assert members[5].threshold is None


@pytest.mark.parametrize("count", [0, 25])
def test_an_estate_has_a_size(count: int) -> None:
    with pytest.raises(EstateError, match="1 to 24"):
        tenant_set.members(KIND.tenants, count)


def test_the_written_inventory_is_an_inventory_like_any_other(tmp_path: Path) -> None:
    members = tenant_set.members(KIND.tenants, 6)
    numbers = {member.id: 9001 + index for index, member in enumerate(members)}
    target = tmp_path / "inventory"
    for _ in range(2):  # the second time over the first
        tenant_set.write_inventory(
            target, KIND, KIND.tenants.folder, members, numbers, "${RINGGATE_HOME}/estates/x/secrets"
        )
    inventory = Inventory.load(target)
    assert {tenant.id for tenant in inventory.tenants} == set(numbers)
    kyoto, demo = inventory.tenant("kyoto"), Inventory.load(KIND.tenants.folder).tenant("kyoto")
    assert kyoto.api == "http://127.0.0.1:9004/kyoto"
    assert kyoto.policy == demo.policy
    assert all("estates/x/secrets/kyoto/" in str(account.password) for account in kyoto.users.values())
    assert list(tmp_path.iterdir()) == [target]


def test_passwords_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    first = tenant_set.passwords(tmp_path / "t", ["auditor"], {"auditor": "first-secret"})
    second = tenant_set.passwords(tmp_path / "t", ["auditor"], {"auditor": "second-secret"})
    assert first == second == {"auditor": "first-secret"}
    assert stat.S_IMODE((tmp_path / "t" / "auditor").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "t").stat().st_mode) == 0o700


# --- processes -----------------------------------------------------------------------------------------------------


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    return Daemon("sleeper", tmp_path / "run" / "sleeper.pid", tmp_path / "logs" / "sleeper.log")


def test_a_server_is_found_again_and_stopped(daemon: Daemon, tmp_path: Path) -> None:
    assert not daemon.running
    daemon.start(SLEEP, dict(os.environ), tmp_path)
    assert Daemon(daemon.name, daemon.pid_file, daemon.log).running
    daemon.stop()
    assert not daemon.running
    assert not daemon.pid_file.exists()


def test_another_process_with_the_same_number_is_not_ours(daemon: Daemon, tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEP)
    try:
        write_atomically(daemon.pid_file, f'{{"pid": {stranger.pid}, "started": 12345.0}}')
        assert not daemon.running
        daemon.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"pid": "x", "started": 1}', "4711"])
def test_a_damaged_pid_file_is_no_process(daemon: Daemon, content: str) -> None:
    write_atomically(daemon.pid_file, content)
    assert not daemon.running


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(daemon: Daemon, tmp_path: Path) -> None:
    daemon.start([sys.executable, "-c", "print('no such luck')"], dict(os.environ), tmp_path)
    with pytest.raises(EstateError, match="no such luck"):
        daemon.await_ready(lambda: False, within=20)


def test_a_process_is_known_by_its_start() -> None:
    me = psutil.Process()
    assert same_process(me.pid, me.create_time()) is not None
    assert same_process(me.pid, me.create_time() - 60) is None


def test_a_taken_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(EstateError, match=rf"Port {port} is taken.*--port-base \d+"):
            ports.check([port], tmp_path, 8070)
    ports.check([free_port()], tmp_path, 8070)


def test_a_port_held_by_a_lost_server_of_this_estate_is_won_back(tmp_path: Path, daemon: Daemon) -> None:
    port = free_port()
    script = (
        f"import socket, time; s = socket.socket(); s.bind(('127.0.0.1', {port})); s.listen(); "
        "print('ready', flush=True); time.sleep(60)"
    )
    daemon.start([sys.executable, "-c", script, str(tmp_path / "run")], dict(os.environ), tmp_path)
    daemon.await_ready(lambda: "ready" in daemon.log.read_text(), within=20)
    daemon.pid_file.unlink()
    ports.check([port], tmp_path, 8070)


def test_a_second_start_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    done = threading.Event()

    def second() -> None:
        with lock(tmp_path / "x.lock", said.append, "the estate"):
            done.set()

    with lock(tmp_path / "x.lock", said.append, "the estate"):
        thread = threading.Thread(target=second)
        thread.start()
        while not said:
            thread.join(0.01)
        assert not done.is_set()
    thread.join(10)
    assert done.is_set()
    assert said == ["Another start is busy with the estate; waiting for it to finish."]


def test_a_full_disk_is_told_before_anything_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12, 10**9))
    with pytest.raises(EstateError, match=r"Only 0\.9 GB are free .* RINGGATE_HOME"):
        Estate("full").up()
    assert not (tmp_path / "home" / "tools").exists()


def test_what_the_system_says_becomes_one_sentence() -> None:
    with (
        pytest.raises(EstateError, match=r"No space left on device \(/x/y\); make room and start again\.$"),
        in_one_sentence(),
    ):
        raise OSError(errno.ENOSPC, "No space left on device", "/x/y")
    with pytest.raises(EstateError, match="could not extend file"), in_one_sentence():
        raise psycopg.errors.DiskFull("could not extend file")


@pytest.mark.parametrize("name", ["", "Demo", "a b", "../x", "-x", "x" * 40])
def test_an_estates_name_is_a_folders_name(name: str) -> None:
    with pytest.raises(EstateError, match="cannot name an estate"):
        Estate(name)


def test_an_estate_that_is_not_there_says_how_to_make_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path))
    estate = Estate("nowhere")
    with pytest.raises(EstateError, match="ringgate estate up --name nowhere"):
        estate.sql("aldgate")
    assert not estate.status().standing
    estate.down()
    estate.destroy()


# --- installs ------------------------------------------------------------------------------------------------------


def test_what_is_whole_is_not_made_again(tmp_path: Path) -> None:
    progress = Progress()
    tools = Tools(tmp_path, progress)
    folder = install.erp_folder(tools, V70)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    (folder / ".complete").touch()
    assert install.install_erp(tools, V70) == folder
    assert [stage.result for stage in progress.stages] == ["already there"]


def test_a_failed_command_tells_its_telling_line() -> None:
    script = "import sys; print('noise'); print('  => error: no such package\\n  more', file=sys.stderr); sys.exit(2)"
    with pytest.raises(EstateError, match=r"^It failed \(error: no such package\): check network"):
        run([sys.executable, "-c", script], "It failed")


def test_a_key_depends_on_every_part() -> None:
    assert key("a", 1) == key("a", 1)
    assert len({key("a", 1), key("a", 2), key("b", 1), key("a1")}) == 4


# --- records and places --------------------------------------------------------------------------------------------


def test_a_record_survives_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    record = EstateRecord(name="x", port_base=8070, tenants={"a": Place(archetype="a", port=8071, series="7.0")})
    assert EstateRecord.read(tmp_path) is None
    record.write(tmp_path)
    assert EstateRecord.read(tmp_path) == record
    (tmp_path / "estate.json").write_text("{")
    assert EstateRecord.read(tmp_path) is None


def test_a_deep_folder_gets_a_short_socket(tmp_path: Path) -> None:
    near = Cluster(Path(), Path("/x/pg"), Path("/x/run/pg"), Path("/x/log"))
    assert near.sockets == Path("/x/run/pg")
    assert near.url("a b") == "postgresql://postgres:@/a b?host=/x/run/pg"
    far = Cluster(Path(), Path("/x/pg"), Path("/x" * 60), Path("/x/log"))
    assert len(str(far.sockets)) < 90


def test_a_migration_is_ended_although_nobody_noted_its_process(tmp_path: Path) -> None:
    server = cast("TrytonServer", Serving(KIND, tmp_path, 9000).server("7.0"))
    migrations = {
        tenant: subprocess.Popen([*SLEEP, "-c", str(server.configuration), "-d", tenant, "--all"])
        for tenant in ("acme", "acme-two")
    }
    try:
        server.end_migrations("acme")
        assert migrations["acme"].poll() is not None
        assert migrations["acme-two"].poll() is None
    finally:
        for process in migrations.values():
            process.kill()
            process.wait()
