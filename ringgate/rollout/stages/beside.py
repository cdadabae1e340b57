"""Runs the checks of one tenant beside each other: as many as it bears, and no two at once that post.

Two postings on one tenant wait for one number sequence: whoever is second would be slow by our own doing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.terms import Capability, Effect
from ringgate.execution.concurrency import ConcurrencyLimits, Room, bore

NUMBERED = frozenset(
    {
        Capability.INVOICING, Capability.CREDIT_NOTES, Capability.PAYMENTS, Capability.JOURNAL_ENTRIES,
        Capability.APPROVALS,
    }
)  # fmt: skip
"""What draws numbers from a sequence of the tenant: invoices, entries, requests."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work on a tenant. `posts`: it draws numbers; `usual`: seconds that its run takes, None where nobody knows."""

    work: Callable[[], Sequence[RunResult]]
    posts: bool = False
    usual: float | None = None


def posts(scenario: Scenario) -> bool:
    """Whether a scenario draws numbers from a sequence of its tenant."""
    return scenario.effect > Effect.READ and bool(scenario.needs & NUMBERED)


def run_beside(tenant: Tenant, jobs: Sequence[Job], limits: ConcurrencyLimits) -> list[RunResult]:
    """Does all jobs, those that come first first where they can. Returns their results, in the order of the jobs.

    If one raises, none is begun any more, and it is raised when those under way have ended."""
    waiting = list(enumerate(jobs))
    running: dict[Future[Sequence[RunResult]], tuple[int, Job, Room]] = {}
    done: dict[int, Sequence[RunResult]] = {}
    errors: list[BaseException] = []
    with ThreadPoolExecutor(max(1, tenant.sessions), thread_name_prefix=f"checks-{tenant.id}") as pool:
        while waiting or running:
            if (chosen := _next(waiting, running)) and (room := limits.begin(tenant)):
                waiting.remove(chosen)
                running[pool.submit(chosen[1].work)] = (*chosen, room)
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


def _next(
    waiting: Sequence[tuple[int, Job]], running: dict[Future[Sequence[RunResult]], tuple[int, Job, Room]]
) -> tuple[int, Job] | None:
    posting = any(job.posts for _, job, _ in running.values())
    return next((each for each in waiting if not (posting and each[1].posts)), None)


def _tell(room: Room, results: Sequence[RunResult], usual: float | None) -> None:
    """The worst of them is what the tenant bore."""
    for result in sorted(results, key=lambda each: bore(each, usual) is False):
        room.ended(result, usual)
