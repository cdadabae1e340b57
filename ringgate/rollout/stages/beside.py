"""Runs the checks of one tenant beside each other, as many as it bears.

No two of them wait for one number sequence inside the ERP: each posting waits for its turn before it is sent
(`RunLocks.posting`), and that is no time that the ERP took.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from ringgate.domain.model import RunResult, Tenant
from ringgate.execution.concurrency import ConcurrencyLimits, Room, bore


@dataclass(frozen=True, slots=True)
class Job:
    """Work on a tenant. `usual`: seconds that its run takes, None where nobody knows."""

    work: Callable[[], Sequence[RunResult]]
    usual: float | None = None


def run_beside(tenant: Tenant, jobs: Sequence[Job], limits: ConcurrencyLimits) -> list[RunResult]:
    """Does all jobs, those that come first first where they can. Returns their results, in the order of the jobs.

    If one raises, none is begun any more, and it is raised when those under way have ended."""
    waiting = deque(enumerate(jobs))
    running: dict[Future[Sequence[RunResult]], tuple[int, Job, Room]] = {}
    done: dict[int, Sequence[RunResult]] = {}
    errors: list[BaseException] = []
    with ThreadPoolExecutor(max(1, tenant.sessions), thread_name_prefix=f"checks-{tenant.id}") as pool:
        while waiting or running:
            if waiting and (room := limits.begin(tenant)):
                number, job = waiting.popleft()
                running[pool.submit(job.work)] = number, job, room
                continue
            for ended in futures.wait(running, return_when=futures.FIRST_COMPLETED).done:
                number, job, room = running.pop(ended)
                try:
                    done[number] = ended.result()
                    _tell(room, done[number], job.usual)
                except Exception as error:
                    errors.append(error)
                    waiting.clear()
                finally:
                    limits.end(tenant, room)
    if errors:
        raise errors[0]
    return [result for number in sorted(done) for result in done[number]]


def _tell(room: Room, results: Sequence[RunResult], usual: float | None) -> None:
    """The worst of them is what the tenant bore."""
    for result in sorted(results, key=lambda each: bore(each, usual) is False):
        room.ended(result, usual)
