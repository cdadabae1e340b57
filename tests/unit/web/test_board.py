"""The threads behind `ringgate serve`: they follow and judge until they are stopped, whatever goes wrong."""

from __future__ import annotations

import threading
from datetime import datetime

from ringgate.metrics import StoreFollower
from ringgate.web import GateJudgement, LiveState, RefreshIntervals


def _read(board):
    with board.follower.reading() as (_, _, read_at):
        return read_at is not None


def test_figures_are_read_after_the_first_verdicts_and_soon_without_any(world):
    release, order = threading.Event(), []

    def judged(ring, name, now):
        release.wait(10)
        order.append("judged")
        return world._judged(ring, name, now)

    class Following(StoreFollower):
        def follow(self):
            order.append("followed")
            return super().follow()

    board = LiveState(
        Following(world.store), lambda: world.inventory, judged, world.told.append,
        RefreshIntervals(0.01, 0.01, first_judgement=10),
    )  # fmt: skip
    board.start()
    release.set()
    while not _read(board):
        assert board.alive
        threading.Event().wait(0.01)
    board.stop()
    assert order[0] == "judged"

    release.clear()
    order.clear()
    board = LiveState(
        Following(world.store), lambda: world.inventory, judged, world.told.append,
        RefreshIntervals(0.01, 0.01, first_judgement=0.01),
    )  # fmt: skip
    board.start()
    while not _read(board):  # though nothing was judged
        assert board.alive
        threading.Event().wait(0.01)
    assert order[0] == "followed"
    release.set()
    board.stop()


def test_the_threads_follow_and_judge_until_they_are_stopped(world):
    board = LiveState(
        StoreFollower(world.store),
        lambda: world.inventory,
        world._judged,
        world.told.append,
        RefreshIntervals(0.01, 0.01),
    )
    board.start()
    while not board.judgements() or not _read(board):
        assert board.alive
        threading.Event().wait(0.01)
    board.stop()
    assert not board.alive
    assert world.store.figures("metrics") is not None


def test_a_mistake_in_a_gate_ends_no_thread(world):
    def mistaken(ring: str, release: str, now: datetime) -> GateJudgement:
        raise ZeroDivisionError("oops")

    world.judge = mistaken
    board = LiveState(
        StoreFollower(world.store),
        lambda: world.inventory,
        world._judged,
        world.told.append,
        RefreshIntervals(0.01, 0.01),
    )
    board.start()
    while len(world.asked) < 3:
        threading.Event().wait(0.01)
    assert board.alive
    board.stop()
    assert world.told == ["ZeroDivisionError: oops"]
    assert board.judgements() == []
