"""What must be undone survives whatever happens to the process that did it."""

import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from ringgate.domain.reversal import Reversal
from ringgate.host import owned_files
from ringgate.host.undo_journal import Journal

PROJECT = Reversal("create_project", "project_manager", "RG-x-1")
TIME = Reversal("enter_time", "consultant", "RG-x-2", target="7")


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal")


def test_a_run_that_left_nothing_leaves_no_file(journal):
    run = journal.begin("r1", "aldgate", "time-entry", "api")
    for seq in (run.register(PROJECT), run.register(TIME)):
        run.undone(seq, "deleted")
    run.close()
    assert list(journal.folder.iterdir()) == []


def test_pending_is_newest_first(journal):
    run = journal.begin("r1", "aldgate", "time-entry", "api")
    run.register(PROJECT)
    run.register(TIME)
    assert [reversal for _, reversal in run.pending()] == [TIME, PROJECT]


def test_a_journal_in_use_is_not_taken_up(journal):
    run = journal.begin("r1", "aldgate", "time-entry", "api")
    run.register(PROJECT)
    assert list(journal.crashed()) == []
    run.close()
    assert [crashed.run_id for crashed in journal.crashed()] == ["r1"]


def test_what_a_killed_process_registered_is_found(journal):
    code = f"""
        import os, signal
        from pathlib import Path
        from ringgate.domain.reversal import Reversal
        from ringgate.host.undo_journal import Journal
        run = Journal(Path({str(journal.folder)!r})).begin("r1", "aldgate", "time-entry", "api")
        run.resolve(run.register(Reversal("create_project", "project_manager", "RG-x-1")), "412")
        run.register(Reversal("enter_time", "consultant", "RG-x-2", target="412"))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (crashed,) = journal.crashed()
    assert (crashed.tenant, crashed.scenario) == ("aldgate", "time-entry")
    assert [(r.verb, r.ref) for _, r in crashed.pending()] == [("enter_time", ""), ("create_project", "412")]
    crashed.close()


def test_a_line_cut_short_is_passed_over_and_the_journal_goes_on(journal):
    run = journal.begin("r1", "aldgate", "time-entry", "api")
    run.register(PROJECT)
    run.close()
    with run.path.open("ab") as file:
        file.write(b'{"seq": 2, "verb": "enter_ti')
    (crashed,) = journal.crashed()
    assert [r.verb for _, r in crashed.pending()] == ["create_project"]
    crashed.undone(1, "deleted")
    crashed.close()
    assert not run.path.exists()


def test_residue_is_taken_up_again(journal):
    run = journal.begin("r1", "aldgate", "time-entry", "api")
    run.left(run.register(PROJECT), "the ERP is down")
    run.close()
    (again,) = journal.crashed()
    assert [seq for seq, _ in again.pending()] == [1]
    again.close()


def test_only_the_tenants_asked_for(journal):
    for run_id, tenant in (("r1", "aldgate"), ("r2", "kyoto")):
        run = journal.begin(run_id, tenant, "time-entry", "api")
        run.register(PROJECT)
        run.close()
    found = []
    for crashed in journal.crashed(frozenset({"kyoto"})):
        found.append(crashed.run_id)
        crashed.close()
    assert found == ["r2"]


def begun(journal, run_id, tenant):
    run = journal.begin(run_id, tenant, "in-flight-draft-invoice", "api")
    run.register(PROJECT)
    run.wait("tryton-8.0", {})
    run.release()


def test_who_looks_for_one_tenant_holds_no_other_tenants_journal(journal, monkeypatch):
    """Two tenants of a ring are looked after at once: what one of them began would be begun again."""
    begun(journal, "r1", "aldgate")
    begun(journal, "r2", "bleecker")
    taken, take = [], owned_files.take
    monkeypatch.setattr(owned_files, "take", lambda path: taken.append(path.stem) or take(path))
    for mine in journal.free(frozenset({"aldgate"})):
        mine.release()
    assert taken == ["r1"]


def test_begun_work_that_somebody_looks_at_is_waited_for(journal):
    begun(journal, "r1", "aldgate")
    (held,) = journal.free()
    looking = threading.Timer(0.2, held.release)
    looking.start()
    (found,) = journal.free(frozenset({"aldgate"}))
    assert found.waits
    looking.join()
    found.release()


def test_begun_work_that_somebody_goes_on_with_is_not_waited_for(journal):
    begun(journal, "r1", "aldgate")
    (held,) = journal.free()
    held.go_on()
    assert list(journal.free()) == []
    held.close()


def test_a_file_that_is_no_journal_is_named_and_kept(journal):
    path = journal.folder / "notes.jsonl"
    path.write_text("shopping list\n")
    with pytest.raises(ValueError, match=r"notes\.jsonl is not a journal"):
        list(journal.crashed())
    assert path.exists()


def test_the_file_is_only_for_its_owner(journal):
    run = journal.begin("r1", "aldgate", "time-entry", "api")
    run.register(PROJECT)
    assert run.path.stat().st_mode & 0o077 == 0
    run.close()


def test_a_run_that_writes_nothing_to_the_erp_writes_nothing_to_the_disk(journal):
    run = journal.begin("r1", "aldgate", "time-entry", "api")
    assert (run.pending(), list(journal.folder.iterdir())) == ([], [])
    run.close()
    assert list(journal.free()) == []


def test_others_may_look_for_crashed_runs_at_any_moment(journal):
    """Recovery goes on while other processes begin and end runs: it takes nothing of theirs, and is not disturbed."""
    code = f"""
        import sys
        from pathlib import Path
        from ringgate.domain.reversal import Reversal
        from ringgate.host.undo_journal import Journal
        journal = Journal(Path({str(journal.folder)!r}))
        for number in range(100):
            run = journal.begin(f"{{sys.argv[1]}}{{number}}", "aldgate", "time-entry", "api")
            seq = run.register(Reversal("create_project", "project_manager", "RG-x-1"))
            assert run.path.read_bytes().count(b"\\n") == 2
            run.undone(seq, "deleted")
            run.close()
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    running = [subprocess.Popen([*command, name], stderr=subprocess.PIPE, text=True) for name in ("a", "b")]
    while any(each.poll() is None for each in running):
        assert list(journal.crashed()) == []
    assert [each.communicate()[1] for each in running] == ["", ""]
    assert list(journal.folder.iterdir()) == []


def test_a_write_without_an_answer_is_unsettled_for_a_while(journal):
    run = journal.begin("r1", "aldgate", "time-entry", "api")
    sent, refused, done = (run.register(PROJECT) for _ in range(3))
    run.answered(refused)
    run.resolve(done, "412")
    assert [run.unsettled(seq, within=60) > 0 for seq in (sent, refused, done)] == [True, False, False]
    assert run.unsettled(sent, within=0) == 0
    run.close()
    (again,) = journal.crashed()
    assert [again.unsettled(seq, within=60) > 0 for seq in (sent, refused, done)] == [True, False, False]
    again.close()
