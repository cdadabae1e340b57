"""One file with all that is known of a release, for whoever checks it later and elsewhere.

    VERIFY.md                       how to check it, also without Ringgate
    evidence.jsonl                  the release's entries, a line each: the text that is hashed
    chain.json                      number and digest of every entry of the store, in order
    releases.json                   every release that the store knows, so that one that is missing shows
    keys/<fingerprint>.pub, .pem    whoever signed
    statements/*.sigstore.json      in-toto statements in Sigstore bundles
    summary.sigstore.json           the summary, which names the digest of the policy
    manifest.sigstore.json          the digest of every other file

The same evidence and key give the same bytes, so nothing can hide between the files.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ringgate.domain.errors import OurSideError
from ringgate.evidence.canonical import canonical
from ringgate.evidence.chain import verified
from ringgate.evidence.entry import EvidenceEntry, EvidenceKind, entry_of
from ringgate.evidence.signing import SigningKey, statement
from ringgate.evidence.statements import MANIFEST, bundle, keys_of, statements_of, summary_of
from ringgate.host import paths
from ringgate.host.atomic_files import write_atomically
from ringgate.host.secrets import redact
from ringgate.store import EvidenceRow

MADE = (1980, 1, 1, 0, 0, 0)
"""The time of every file within: the same content is the same pack."""


class PackRefused(OurSideError):
    """Nothing is packed: there is nothing, it was changed, or it would tell a secret."""

    kind = "evidence"


def packed(rows: Sequence[EvidenceRow], release: str, key: SigningKey) -> bytes:
    """The pack of a release out of all rows of a store. Raises PackRefused."""
    report = verified(iter(rows))
    if not report.holds:
        raise PackRefused(f"nothing is packed, for the evidence was changed: {report.problems[0]}")
    every = [entry_of(row) for row in rows]
    entries = [each for each in every if each.release == release]
    if not entries:
        known = ", ".join(sorted({each.release for each in every})) or "none"
        raise PackRefused(f"there is no evidence of {release}; there is of: {known}")
    for each in entries:
        if redact(each.text) != each.text:
            raise PackRefused(f"nothing is packed, for entry {each.number} holds a secret that is known by now")
    files = _files(every, entries, release, key)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files["manifest.sigstore.json"] = _json(bundle(key.sign(statement(digests, MANIFEST, {"release": release}))))
    return zipped(files)


def _files(
    every: Sequence[EvidenceEntry], entries: Sequence[EvidenceEntry], release: str, key: SigningKey
) -> dict[str, bytes]:
    statements = {name: _json(each) for name, each in statements_of(entries, key).items()}
    inputs = {name: hashlib.sha256(content).hexdigest() for name, content in statements.items()}
    files = {
        "VERIFY.md": VERIFY.format(release=release, own=key.public.fingerprint, file=file_name(key.public.fingerprint))
        .encode(),
        "evidence.jsonl": "".join(f"{each.text}\n" for each in entries).encode(),
        "chain.json": _json([[each.number, each.digest] for each in every]),
        "releases.json": _json(releases_of(every)),
        "summary.sigstore.json": _json(bundle(key.sign(summary_of(release, entries, inputs)))),
        **statements,
    }  # fmt: skip
    for each in keys_of(entries, key.public):
        files[f"keys/{file_name(each.fingerprint)}.pub"] = f"{each.line}\n".encode()
        files[f"keys/{file_name(each.fingerprint)}.pem"] = each.pem.encode()
    return files


def releases_of(every: Sequence[EvidenceEntry]) -> list[dict[str, Any]]:
    """Every release of a store with its entries: how many, the first and the last, and the verdicts in their order."""
    found: dict[str, dict[str, Any]] = {}
    for each in every:
        of = found.setdefault(
            each.release, {"release": each.release, "entries": 0, "first": each.number, "last": 0, "verdicts": []}
        )
        of["entries"], of["last"] = of["entries"] + 1, each.number
        if each.kind is EvidenceKind.VERDICT:
            of["verdicts"].append([each.ring, each.body["verdict"]])
    return list(found.values())


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip file that the same files always give."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as pack:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, MADE)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            pack.writestr(info, files[name])
    return out.getvalue()


def file_name(fingerprint: str) -> str:
    """A fingerprint as the name of a file."""
    return fingerprint.removeprefix("SHA256:").replace("/", "_").replace("+", "-")


def own_key() -> SigningKey:
    """This machine's key for packs, made when it is first asked for. Raises OSError."""
    file = paths.state() / "evidence" / "signing-key"
    if not file.exists():
        write_atomically(file, SigningKey.new().private_text, 0o600)
    return SigningKey.load(file, lambda: "")


def write_pack(rows: Sequence[EvidenceRow], release: str, key: SigningKey, out: Path) -> None:
    """Raises PackRefused or OSError."""
    write_atomically(out, packed(rows, release, key))


def _json(value: object) -> bytes:
    return (json.dumps(json.loads(canonical(value)), indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


VERIFY = """\
# How to check the evidence of {release}

With Ringgate, which checks every byte of the pack, every signature and the chain:

    ringgate evidence verify pack.zip --key {file}.pub

The pack is signed with the key `{own}`. A pack proves nothing to those who do not know that key from elsewhere: do not
take it from this pack alone.

Without Ringgate:

1. Each `*.sigstore.json` is a Sigstore bundle, version 0.3, of an in-toto statement, signed with the key that its
   `hint` names; the keys lie in `keys/`. There is no transparency log. With cosign (its command as documented; not
   tried by Ringgate's own tests):

       cosign verify-blob-attestation --bundle summary.sigstore.json --key keys/{file}.pem \\
         --insecure-ignore-tlog --check-claims=false --type https://slsa.dev/verification_summary/v1 VERIFY.md

   With Node's @sigstore/verify: `new Verifier(material, {{tlogThreshold: 0, timestampThreshold: 0}})`.
   With Python's securesystemslib: `dsse.Envelope.from_dict(bundle["dsseEnvelope"]).verify(keys, 1)`.
2. `manifest.sigstore.json` names the SHA-256 of every other file: compare them.
3. Each line of `evidence.jsonl` is an entry. Its SHA-256, without the line break, stands in `chain.json` at its
   `number`; its `previous` is the digest of the number before it.
4. `releases.json` names every release of that store. One that you know of and that is not there was not recorded there.

What it states: a verdict of each ring that passed or failed (test-result), each comparison of a tenant's books
(fingerprint), each waiver, each approval with its maker's own signature, and a summary. An inconclusive ring has no
test-result; the summary names it, and then is not PASSED.
"""
