"""`ringgate worker`: the probes of one region, shared with other workers on other machines."""

from __future__ import annotations

from typing import Annotated

import typer

from ringgate.cli.common import InventoryOption, UsageMistake, console
from ringgate.cli.probe import EXITS, until_stopped, verdict
from ringgate.cli.runs import ResultsOption, SharedOption


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate` itself."""
    app.command(epilog=EXITS.replace("(--once, --for)", "(--for)"))(worker)


def worker(
    region: Annotated[str, typer.Option(metavar="NAME", help="The region whose tenants it probes.")],
    residency: Annotated[
        list[str] | None,
        typer.Option(envvar="RINGGATE_RESIDENCY", metavar="NAME", show_default=False,
                     help="This worker's residency: it calls tenants of this residency and of any, and no others."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=512, help="Runs side by side over the API, of this process.")
    ] = 16,
    browsers: Annotated[
        int, typer.Option(min=0, max=64, help="Browsers of this process; 0: it takes no probe over the browser.")
    ] = 1,
    per_host: Annotated[
        int, typer.Option(min=0, help="Runs at once on one ERP server, of all workers; 0: no cap.", show_default=False)
    ] = 0,
    lasting: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="End after this time, such as 30min.", show_default=False),
    ] = None,
    grace: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Told to stop, it finishes or undoes what runs within this.")
    ] = 25.0,
    health: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", show_default=False,
                     help="Tell its health and figures over HTTP: /healthz, /readyz, /metrics."),
    ] = None,
    health_host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where --health listens; nothing secret is told there.")
    ] = "127.0.0.1",
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print only what did not pass, and a summary each minute.")
    ] = False,
    shared: SharedOption = None,
    inventory: InventoryOption = None,
    results: ResultsOption = None,
) -> int:  # fmt: skip
    """Run the probes of one region together with other workers, on as many machines as it takes.

    One of the workers is elected dispatcher: it puts in what is due, by the same plan that `ringgate probe --plan`
    shows. All take from the queue as they have room. Two runs of a process never overlap on a tenant, and the caps of
    the inventory hold over all workers. What a worker that dies leaves is taken back by another after 30 seconds. A
    tick that nobody could begin for a minute is dropped and counted as missed.

    SIGTERM and SIGINT stop it as they stop `ringgate probe`. It keeps results, queue, run locks and undo journal in
    PostgreSQL alone, in that of the results unless --shared names another.
    """
    from ringgate.domain.terms import Channel
    from ringgate.host import paths
    from ringgate.inventory import Inventory
    from ringgate.inventory.kinds import duration
    from ringgate.probing.distributed.setup import WorkerPlace, assembled
    from ringgate.probing.prober import Terms
    from ringgate.probing.setup import ProbeSelection, chosen
    from ringgate.probing.setup import workers as shared_out
    from ringgate.probing.view import ProbeDisplay
    from ringgate.scenario.discovery import known_scenarios

    try:
        time_given = duration(lasting) if lasting else None
    except ValueError as error:
        raise UsageMistake(f"--for {error}") from None
    url = paths.results_url(results)
    if not url.startswith("postgresql"):
        raise UsageMistake("workers keep their results in PostgreSQL: --results postgresql+psycopg://host/database")
    wanted = ProbeSelection(regions=[region], residencies=residency or ())
    known, scenarios = Inventory.load(inventory, residency=residency), known_scenarios()
    probes = [each for each in chosen(known, wanted, scenarios) if browsers or each.channel is Channel.API]
    if not any(not each.never for each in probes):
        raise UsageMistake(f"there is nothing to probe: {probes[0].never if probes else 'no scenario is left'}")
    at_once = shared_out(known, probes, workers, browsers or 1)
    terms = Terms(workers=at_once, lasting=time_given, grace=grace)
    place = WorkerPlace(region, shared or url, per_host, (health_host, health) if health is not None else None)
    with (
        ProbeDisplay(console(), probes, quiet=quiet, board=False) as watch,
        assembled(known, probes, wanted, terms, watch, place, scenarios=scenarios, results=url) as prober,
    ):
        course, interrupted = until_stopped(prober, watch)
    return verdict(course, terms, interrupted)
