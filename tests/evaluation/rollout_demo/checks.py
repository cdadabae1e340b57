"""What must have come of it, read from messages, the chain of evidence, the pack and the page."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from urllib.request import urlopen

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError

from ringgate.evidence import EvidenceChain, EvidenceEntry, EvidenceKind, this_actor
from ringgate.evidence.signing import SigningKey, VerifyingKey
from ringgate.host import paths
from ringgate.store import Store
from tests.evaluation.commands import Commands
from tests.evaluation.findings import Findings
from tests.evaluation.rollout_demo.files import RELEASE, RINGS
from tests.evaluation.rollout_demo.people import PEOPLE, Told
from tests.evaluation.rollout_demo.rollout import Rollout
from tests.support.sigstore import accepted, install_verifier, npm_is_there
from tests.unit.evidence.packs import foreign_key

NEWS = ("early paused", "early rolled back", "canary rolled back", "waiting: early", "waiting: activation", ": done:")
"""What people must have been told: each a part of a message's text."""


def messages(told: Told, found: Findings) -> None:
    for channel, came in (("mail", told.mails), ("webhook", told.hooks)):
        missing = [each for each in NEWS if not any(each in text for text in came)]
        found.that(f"people were told by {channel} of pause, rollback, waiting and end", not missing,
                   f"not of {missing}; came: {came}")  # fmt: skip


def evidence(out: Path, rollout: Rollout, keys: Mapping[str, SigningKey], found: Findings) -> None:
    store = Store(paths.results_url())
    try:
        entries = EvidenceChain(store, this_actor()).entries(release=RELEASE)
    finally:
        store.close()
    _decisions(entries, rollout, found)
    _rights_and_builds(entries, rollout, found)
    run = rollout.commands.run
    run("ringgate", "evidence", "verify")
    found.that("the chain of evidence holds", True)
    pack = out / f"{RELEASE}.zip"
    run("ringgate", "evidence", "pack", RELEASE, "--out", str(pack))
    with zipfile.ZipFile(pack) as files:
        public = [files.read(name).decode() for name in files.namelist() if name.endswith(".pub")]
        bundles = {name: files.read(name) for name in files.namelist() if name.endswith(".sigstore.json")}
        signer = json.loads(bundles["summary.sigstore.json"])["verificationMaterial"]["publicKey"]["hint"]
    known = {key.fingerprint: key for key in map(VerifyingKey.read, public)}
    own = out / "signer.pub"
    own.write_text(known[signer].line, encoding="utf-8")
    run("ringgate", "evidence", "verify", str(pack), "--key", str(own))
    found.that("the pack holds, with the key of who signed it", True)
    found.that("the keys of both people are in it",
               {key.public.fingerprint for key in keys.values()} <= set(known))  # fmt: skip
    changed = out / "changed.zip"
    changed.write_bytes(_repacked(pack))
    code = run("ringgate", "evidence", "verify", str(changed), "--key", str(own), codes=(0, 1)).returncode
    found.that("a changed pack is refused", code == 1)
    _foreign(out, bundles, known, found)


def _decisions(entries: list[EvidenceEntry], rollout: Rollout, found: Findings) -> None:
    last = rollout.records[-1]["session"]
    sessions = {each["session"] for each in rollout.records}
    mine = [each for each in entries if each.body.get("session") in sessions]
    decided = [(each.ring, each.body.get("action", "")) for each in mine if each.kind is EvidenceKind.DECISION]
    found.that("pause and rollback of ring 2 are evidence",
               {("early", "pause"), ("early", "roll back")} <= set(decided), decided)  # fmt: skip
    promoted = {ring for ring, action in decided if action == "promote"}
    found.that("each ring's promotion is evidence", promoted >= set(RINGS), decided)
    for ring in ("early", "activation"):
        opened = [each for each in mine if each.kind is EvidenceKind.DECISION and each.ring == ring
                  and each.body.get("action") == "open" and each.body["session"] == last]  # fmt: skip
        given = opened[0].body["by_role"] if opened else {}
        people = {role: list(who) for role, who in given.items()}
        found.that(f"{ring} was opened by two people's keys",
                   people == {role: [name] for name, role in PEOPLE.items()}, people)  # fmt: skip
    gate = [each for each in entries if each.kind is EvidenceKind.VERDICT and each.body.get("source") != "rollout"]
    found.that("the gate's own verdicts are evidence", gate)


def _rights_and_builds(entries: list[EvidenceEntry], rollout: Rollout, found: Findings) -> None:
    rights = [each.body["action"] for each in entries if each.kind is EvidenceKind.ELEVATION]
    found.that("each right that was granted was taken back, and looked at",
               rights and rights.count("granted") == rights.count("revoked") and "still granted" not in rights,
               rights)  # fmt: skip
    ends = {str(each.body["ends"]) for each in entries if each.kind is EvidenceKind.ELEVATION}
    found.that("its end is evidence", len(ends) == 1 and "" not in ends, ends)
    with rollout.estate.database.connect() as database:
        there = database.execute("SELECT 1 FROM pg_roles WHERE rolname = 'rollout_migration'").fetchone()
    found.that("the database knows the right no more", there is None)
    last = rollout.records[-1]["session"]
    seen = {
        each.body["tenant"]: each.body["result"].get("artefacts")
        for each in entries
        if each.kind is EvidenceKind.STAGE and each.body["stage"] == "verification" and each.body["session"] == last
    }
    builds = {json.dumps(each, sort_keys=True) for each in seen.values()}
    found.that("the same build was seen on every ring, by digest",
               set(seen) == set(rollout.rings) and len(builds) == 1 and "sha256:" in builds.pop(), seen)  # fmt: skip


def _foreign(out: Path, bundles: Mapping[str, bytes], known: Mapping[str, VerifyingKey], found: Findings) -> None:
    refused = [name for name, content in bundles.items() if not _securesystemslib(content, known)]
    found.that(f"securesystemslib accepts each of {len(bundles)} statements", bundles and not refused, refused)
    spoilt = {name: _spoilt(content) for name, content in bundles.items()}
    let = [name for name, content in spoilt.items() if _securesystemslib(content, known)]
    found.that("and refuses each when a byte of it is changed", not let, let)
    if not npm_is_there():
        found.that("Sigstore's verifier for Node can be had", False, "there is no npm")
        return
    install_verifier(out / "sigstore")
    pems = {name: key.pem for name, key in known.items()}
    told = accepted(out / "sigstore", pems, list(bundles.values()))
    found.that("Sigstore's own verifier accepts each", all(told), told)
    told = accepted(out / "sigstore", pems, list(spoilt.values()))
    found.that("and refuses each when a byte of it is changed", not any(told), told)


def _securesystemslib(content: bytes, known: Mapping[str, VerifyingKey]) -> bool:
    bundle = json.loads(content)
    hint = bundle["verificationMaterial"]["publicKey"]["hint"]
    try:
        Envelope.from_dict(bundle["dsseEnvelope"]).verify([foreign_key(known[hint].line, hint)], 1)
    except VerificationError:
        return False
    return True


def _spoilt(content: bytes) -> bytes:
    """The bundle with one byte of what is signed changed."""
    bundle = json.loads(content)
    payload = bytearray(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    payload[len(payload) // 2] ^= 1
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    return json.dumps(bundle).encode()


def _repacked(pack: Path) -> bytes:
    """The pack in which somebody turned a pause into a promotion."""
    made = io.BytesIO()
    with zipfile.ZipFile(pack) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "evidence.jsonl":
                content = content.replace(b'"action":"pause"', b'"action":"promote"', 1)
            new.writestr(name, content)
    return made.getvalue()


def page(out: Path, commands: Commands, found: Findings) -> None:
    """The release's page as it is served, and the review by the command."""
    said = commands.run("ringgate", "review", RELEASE, "--policy", "gate.toml", "--definition", "release.toml",
                        "--inventory", "tenants", "--json")  # fmt: skip
    (out / "review.json").write_text(said.stdout, encoding="utf-8")
    served = commands.begin("ringgate", "serve", "--inventory", "tenants", "--policy", "gate.toml", "--port", "0")
    try:
        number, _ = served.said("http://")
        line = served.line(number - 1)
        address = next(word for word in line.replace("/ ", " ").split() if word.startswith("http://")).rstrip("/.,")
        with urlopen(f"{address}/releases/{RELEASE}", timeout=60) as answer:
            text = answer.read().decode()
    finally:
        served.stop()
    (out / "release.html").write_text(text, encoding="utf-8")
    for words in ("Review", "Change fail rate", "Evidence", *RINGS, *PEOPLE):
        found.that(f"the release's page shows: {words}", words.lower() in text.lower())
