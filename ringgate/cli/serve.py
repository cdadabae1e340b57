"""`ringgate serve`: what the store holds, for Prometheus, for rollout controllers, and for people."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, UsageMistake, complain
from ringgate.cli.runs import RegionsOption, ResultsOption, SignalsOption

if TYPE_CHECKING:
    from ringgate.domain.secrets import Secret

PORT = 9797


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate` itself."""
    app.command()(serve)


def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen. Other than this machine's own needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = PORT,
    token_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The environment variable that holds the token.", show_default=False),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file that holds the token.", show_default=False)
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="When a rollout may go on; see deploy/gate.toml.", show_default=False),
    ] = None,
    signals: SignalsOption = None,
    horizon: Annotated[
        str, typer.Option(metavar="TIME", help="How old a result may be where no schedule says when the next is due.")
    ] = "30 min",
    regions: RegionsOption = None,
    inventory: InventoryOption = None,
    results: ResultsOption = None,
    keep: Annotated[
        bool,
        typer.Option(help="Note as evidence when a verdict says something new. A pass that cannot be noted is none."),
    ] = True,
) -> int:
    """Serve metrics, verdicts, hooks and a live page.

    All of it comes from the store of results.

    \b
    /                   the dashboard
    /releases/NAME      a release: plan, rings, who is waited for, calendar, duties, review, evidence
    /metrics            for Prometheus
    /api/v1/verdict     ?ring=R&release=X: always 200, the verdict in the body (Argo Rollouts and others)
    /api/v1/deployments POST, with a token: a release reached a ring (as `ringgate event deploy`)
    /flagger/gate       2xx only if the rollout may go on
    /flagger/rollback   2xx only if it must be rolled back
    /healthz, /readyz   for whoever starts it

    The token is expected as "Authorization: Bearer ...", or as the password of any user. Ends with 0 when it is
    stopped (SIGTERM, Ctrl-C), 2 if the store or the token cannot be read, 3 for wrong use.
    """
    from ringgate.evidence import this_actor
    from ringgate.host.paths import results_url
    from ringgate.judging.regions import taking_in
    from ringgate.scenario.discovery import known_scenarios
    from ringgate.signals import polling
    from ringgate.store import Store
    from ringgate.web import Reloading, Schedule, Server, collector_of, serving
    from ringgate.web import serve as answer
    from ringgate.web.access import is_loopback
    from ringgate.web.deployments import DeploymentNotes
    from ringgate.web.events import EventNotes
    from ringgate.web.gate import judge_of
    from ringgate.web.releases import ReleasePages

    reference = _token(token_env, token_file)
    if reference is None and not is_loopback(host):
        raise UsageMistake(
            f"--host {host} can be reached from other machines, so a token is needed: --token-env or --token-file"
        )
    token = reference.reveal() if reference else ""
    oldest, url = _duration(horizon), results_url(results)
    load = Reloading(inventory)
    known = load()
    scenarios = list(known_scenarios().values())
    judge = judge_of(url, load, policy, scenarios, by=this_actor() if keep else None)
    store = Store(url)
    try:
        with (
            polling(signals, known.tenants, url, complain),
            taking_in(regions, url, complain),
            serving(load, store, judge, complain) as board,
        ):
            horizons = Schedule(board, scenarios)
            pages = ReleasePages(url, load)
            notes = DeploymentNotes(url, load, this_actor()), EventNotes(url, load, this_actor())
            app = Server(board, collector_of(board, horizons, oldest), horizons, oldest, pages, *notes).app(token)
            answer(app, host, port, lambda address: typer.echo(f"serving {known.path} on {address}"))
    finally:
        store.close()
    return Exit.OK


def _duration(text: str) -> timedelta:
    from pydantic import TypeAdapter, ValidationError

    from ringgate.inventory.kinds import Duration

    try:
        return TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        raise UsageMistake(f'--horizon: "{text}" is no time with its unit (s, min, h, d), such as "30 min"') from None


def _token(name: str | None, file: Path | None) -> Secret | None:
    from ringgate.host.secrets import EnvSecret, FileSecret

    if name and file:
        raise UsageMistake("--token-env and --token-file: give one of them")
    return EnvSecret(name) if name else FileSecret(str(file)) if file else None
