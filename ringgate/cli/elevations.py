"""The rights that a release has for a time: held while work is done, and `ringgate rollout revoke`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit
from ringgate.cli.release import ReleaseArgument
from ringgate.cli.rollout_record import folder_of, found_record, keeper_of
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from ringgate.rollout.record import RecordKeeper, RehearsalRecord
    from ringgate.rollout.release import Release


def elevated(
    definition: Release, ledger: RecordKeeper, results: str | None, work: Callable[[], RehearsalRecord]
) -> RehearsalRecord:
    """Does the work with the rights that the release asks for. Raises ElevationError where it cannot have them."""
    from ringgate.evidence import this_actor
    from ringgate.host.paths import results_url
    from ringgate.rollout.elevations import elevations_of, with_rights
    from ringgate.store import Store

    rights = elevations_of(definition, ledger, lambda: Store(results_url(results)), this_actor())
    return with_rights(rights, ledger, work)


def revoke(
    release: ReleaseArgument,
    platform: Annotated[
        str, typer.Option("--platform", metavar="KIND=WHERE", help="Where the tenants live, as for `start`.")
    ],
    inventory: Annotated[
        Path | None,
        typer.Option("--inventory", "-i", metavar="FOLDER", show_default=False,
                     help="The inventory's folder [default: the platform's own]."),
    ] = None,
    results: ResultsOption = None,
) -> int:  # fmt: skip
    """Take back the rights that a rollout which was killed still has, and look that they are gone.

    A rollout takes its rights back by itself when it ends or when their time is over. Ends with 0 if none is granted
    any more, 2 if one could not be seen to be taken back or the rollout is at work, 3 if there is no such rollout.
    """
    from ringgate.evidence import this_actor
    from ringgate.host.paths import results_url
    from ringgate.rollout.elevations import elevations_of
    from ringgate.rollout.lease import RolloutLease
    from ringgate.rollout.platforms.protocol import PlatformRequest
    from ringgate.rollout.platforms.registry import platform_kind, split
    from ringgate.rollout.release import load_release
    from ringgate.store import Store

    kind, where = split(platform)
    definition = load_release(release, *platform_kind(kind).foreseen(PlatformRequest(where, inventory)))
    folder = folder_of(definition.id, platform)
    with RolloutLease(folder):
        ledger = keeper_of(folder)
        found_record(ledger)
        rights = elevations_of(definition, ledger, lambda: Store(results_url(results)), this_actor())
        names = rights.revoke("asked for by a person")
    typer.echo(f"taken back: {', '.join(names)}" if names else "No right is granted.")
    return Exit.OK
