"""`ringgate evidence`: what was decided, by whom, on what; and whether anybody changed it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, JsonOption, UsageMistake, console, counted
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ringgate.evidence import ChainHead, ChainReport, EvidenceChain, EvidenceEntry, EvidenceKind
    from ringgate.store import Store

app = typer.Typer(
    help="What was decided, by whom, on what; and whether anybody changed it.", no_args_is_help=True,
    rich_markup_mode=None, add_completion=False,
)  # fmt: skip


@app.command("list")
def list_entries(
    release: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this release's.", show_default=False)
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Only these: start, stage, attempt, verdict, decision, waiver, approval, "
                     "deployment, incident, ticket, change, control, elevation, end; repeatable.", show_default=False),
    ] = None,
    results: ResultsOption = None,
    as_json: JsonOption = False,
) -> int:  # fmt: skip
    """List what was noted, the oldest first.

    Ends with 0, with 2 if the store cannot be read, with 3 for a kind that there is not.
    """
    from rich.table import Table
    from rich.text import Text

    from ringgate.evidence import EvidenceKind

    if unknown := sorted(set(kind or ()) - {each.value for each in EvidenceKind}):
        raise UsageMistake(f"there is no such kind of evidence: {', '.join(unknown)}. See `ringgate evidence list -h`.")
    entries = _entries(results, release, [EvidenceKind(each) for each in kind or ()])
    if as_json:
        typer.echo(json.dumps([json.loads(each.text) | {"digest": each.digest} for each in entries],
                              indent=2, ensure_ascii=False))  # fmt: skip
        return Exit.OK
    if not entries:
        typer.echo("No evidence was noted: `ringgate gate`, `ringgate rehearse` and `ringgate event deploy` note it.")
        return Exit.OK
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("no.", "at (UTC)", "release", "ring", "kind", "what", "by", "digest"):
        table.add_column(heading, overflow="fold")
    for each in entries:
        by = f"{each.by.user}@{each.by.host}"
        at, digest = f"{each.at:%Y-%m-%d %H:%M:%S}", each.digest[:12]
        row = (str(each.number), at, each.release, each.ring, each.kind.value, _told(each), by, digest)
        table.add_row(*map(Text, row))
    console().print(table)
    return Exit.OK


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As `ringgate evidence list` shows it.")],
    results: ResultsOption = None,
) -> int:
    """Print an entry whole, as JSON, with its digest.

    Ends with 0, with 2 if the store cannot be read, with 3 if there is no such entry.
    """
    found = next((each for each in _entries(results) if each.number == number), None)
    if found is None:
        raise UsageMistake(f"there is no entry {number}: `ringgate evidence list` shows those that there are.")
    typer.echo(json.dumps(json.loads(found.text) | {"digest": found.digest}, indent=2, ensure_ascii=False))
    return Exit.OK


@app.command()
def pack(
    release: Annotated[str, typer.Argument(metavar="NAME", help="The release, as its evidence is labelled.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it.")] = Path("pack.zip"),
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The private key that signs it, Ed25519 [default: this machine's own].",
                     show_default=False),
    ] = None,
    results: ResultsOption = None,
) -> int:  # fmt: skip
    """Write all evidence of a release into one signed file, for whoever checks it later and elsewhere.

    Ends with 0, with 2 if the store cannot be read, there is nothing, or it was changed.
    """
    from ringgate.evidence.pack import own_key, write_pack
    from ringgate.evidence.signing import SigningKey

    own = SigningKey.load(key.expanduser(), _passphrase) if key else own_key()
    store = _store(results)
    try:
        write_pack(store.evidence_rows(), release, own, out)
    finally:
        store.close()
    typer.echo(f"{out}: the evidence of {release}, signed with {own.public.fingerprint}")
    typer.echo(f"Give this public key to those who check it, by another way: {own.public.line}")
    return Exit.OK


@app.command()
def verify(
    packed: Annotated[
        Path | None, typer.Argument(metavar="[PACK]", help="A pack, instead of the store.", show_default=False)
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(metavar="NUMBER:DIGEST", show_default=False,
                     help="An entry that you noted earlier, elsewhere: it must be in the store still."),
    ] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", show_default=False,
                     help="A public key as OpenSSH writes it: the pack must be signed with it; may be repeated."),
    ] = None,
    results: ResultsOption = None,
    as_json: JsonOption = False,
) -> int:  # fmt: skip
    """Say whether the evidence in the store, or a pack, is as it was written, and whole.

    Ends with 0 if it is, with 1 if anything was changed, removed or put there, with 2 if the store cannot be read.
    """
    if packed is not None:
        return _verify_pack(packed, key or [], as_json)
    wanted = _head(head) if head else None
    store = _store(results)
    try:
        report = _chain(store).verify(wanted)
        missing = _missing(store)
    finally:
        store.close()
    _print(report, missing, as_json)
    return Exit.OK if report.holds and not missing else Exit.FAILED


def _verify_pack(file: Path, keys: Sequence[Path], as_json: bool) -> int:
    from dataclasses import asdict

    from ringgate.evidence.pack_check import checked_pack
    from ringgate.evidence.signing import VerifyingKey

    try:
        trusted = [VerifyingKey.read(each.read_text(encoding="utf-8")) for each in keys]
        report = checked_pack(file.read_bytes(), trusted)
    except OSError as error:
        raise UsageMistake(f"{error.filename} cannot be read: {error.strerror}") from None
    if as_json:
        typer.echo(json.dumps({"ok": report.holds, **asdict(report)}, indent=2, ensure_ascii=False))
        return Exit.OK if report.holds else Exit.FAILED
    for problem in report.problems:
        typer.secho(f"error: {problem}.", fg="red")
    if not report.holds:
        typer.echo(f"{file} is not as it was made.")
        return Exit.FAILED
    typer.echo(
        f"{file} is as it was made: {report.release}, {report.result}; {counted(report.statements, 'statement')}, "
        f"{report.entries} of the store's entries."
    )
    if not trusted:
        known = "Only if you know that key from elsewhere does this prove anything: give it to --key."
        typer.echo(f"It is signed with {report.signer}. {known}")
    return Exit.OK


def _passphrase() -> str:
    return str(typer.prompt("Passphrase", hide_input=True, err=True))


def _print(report: ChainReport, missing: list[str], as_json: bool) -> None:
    head = report.head
    if as_json:
        told = {
            "ok": report.holds and not missing, "entries": report.entries,
            "head": {"number": head.number, "digest": head.digest} if head else None,
            "problems": list(report.problems), "missing": missing, "remarks": list(report.remarks),
        }  # fmt: skip
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for problem in (*report.problems, *missing):
        typer.secho(f"error: {problem}.", fg="red")
    for remark in report.remarks:
        typer.echo(f"{remark}.")
    entries = counted(report.entries, "entry").replace("entrys", "entries")
    if report.holds and not missing:
        typer.echo(f"The evidence is as it was written: {entries}.")
    else:
        errors = counted(len(report.problems) + len(missing), "error")
        typer.echo(f"The evidence is not as it was written: {entries}, {errors}.")
    if head and report.holds:
        typer.echo(f"Note this elsewhere, and give it to --head a later time: {head.number}:{head.digest}")


def _head(text: str) -> ChainHead:
    from ringgate.evidence import ChainHead

    found = re.fullmatch(r"(\d{1,12}):([0-9a-f]{64})", text.strip())
    if found is None:
        raise UsageMistake("--head must be as `ringgate evidence verify` prints it: a number, a colon, 64 digits.")
    return ChainHead(int(found[1]), found[2])


def _store(results: str | None) -> Store:
    from ringgate.host.paths import results_url
    from ringgate.store import Store

    return Store(results_url(results))


def _chain(store: Store) -> EvidenceChain:
    from ringgate.evidence import EvidenceChain, this_actor

    return EvidenceChain(store, this_actor())


def _missing(store: Store) -> list[str]:
    """What the records of this machine say and the store lacks."""
    from ringgate.host import paths
    from ringgate.rollout.evidence import unkept
    from ringgate.rollout.record import RecordKeeper, RecordUnreadable

    found = []
    places = [paths.state() / name for name in ("rehearsals", "rollouts", "brackets")]
    for folder in sorted(path.parent for place in places for path in place.glob("*/record.json")):
        try:
            record = RecordKeeper(folder).find()
        except RecordUnreadable as error:
            found.append(str(error))
            continue
        if record is not None and record.session:
            found += unkept(record, store)
    return found


def _entries(
    results: str | None, release: str | None = None, kinds: Sequence[EvidenceKind] = ()
) -> list[EvidenceEntry]:
    store = _store(results)
    try:
        return _chain(store).entries(release=release, kinds=kinds)
    finally:
        store.close()


def _told(entry: EvidenceEntry) -> str:
    """An entry's body in a few words."""
    body = entry.body
    words: dict[str, Callable[[], str]] = {
        "start": lambda: "gone on with" if body.get("starts", 1) > 1 else "begun",
        "end": lambda: str(body.get("sentence", "")),
        "stage": lambda: f"{body.get('stage')} of {body.get('tenant')}: {body.get('outcome')}",
        "attempt": lambda: f"{body.get('stage')} of {body.get('tenant')}: {body.get('problem')}",
        "verdict": lambda: str(body.get("verdict")),
        "decision": lambda: str(body.get("action")),
        "waiver": lambda: f"{body.get('accepts')}: {_waived(body.get('waiver'))}",
        "approval": lambda: f"{body.get('role')}: {body.get('person')}",
        "deployment": lambda: f"by {body.get('by') or 'nobody named'}",
        "incident": lambda: f"{body.get('tenant')}: {body.get('what')}",
        "ticket": lambda: f"{_whom(body)}: {body.get('what')}",
        "change": lambda: f"{_whom(body)}: {body.get('what')}",
        "control": lambda: f"{body.get('name')}: {body.get('outcome')}",
        "elevation": lambda: f"{body.get('name')}: {body.get('action')}",
    }
    return words[entry.kind.value]()[:160]


def _whom(body: Mapping[str, Any]) -> str:
    return ", ".join(body.get("tenants") or ()) or f"ring {body.get('ring')}"


def _waived(waiver: object) -> str:
    if not isinstance(waiver, dict):
        return ""
    what = waiver.get("signature") or waiver.get("scenario") or "exception"
    return f"{what} on {waiver.get('tenant', '*')} ({waiver.get('owner')})"
