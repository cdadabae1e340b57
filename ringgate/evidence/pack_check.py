"""Whether a pack is as it was made: every byte, every signature, and the chain of its entries."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ringgate.evidence.canonical import digest_of_text
from ringgate.evidence.pack import file_name, zipped
from ringgate.evidence.signing import KeyUnusable, SignatureWrong, VerifyingKey
from ringgate.evidence.statements import BUNDLE, MANIFEST

LARGEST = 500_000_000
"""Bytes that a pack may have, unpacked."""


@dataclass(frozen=True, slots=True)
class PackReport:
    """What checking a pack came to. `signer` is the fingerprint of the key that signed it, "" where nothing is known;
    `result` is that of its summary."""

    release: str = ""
    signer: str = ""
    result: str = ""
    statements: int = 0
    entries: int = 0
    problems: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.problems


def checked_pack(content: bytes, trusted: Collection[VerifyingKey] = ()) -> PackReport:
    """Reads a pack. `trusted`: it must be signed with one of these keys; without, with any that it brings along."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as pack:
            if sum(info.file_size for info in pack.infolist()) > LARGEST:
                return PackReport(problems=("it is larger than a pack can be",))
            names = pack.namelist()
            files = {name: pack.read(name) for name in names}
    except Exception as error:  # zipfile raises many things for what is no zip file
        return PackReport(problems=(f"it is no pack, or was changed: {error}",))
    if len(names) != len(files) or zipped(files) != content:
        return PackReport(problems=("it was changed: these are not the bytes of a pack with these files",))
    try:
        return _checked(files, trusted)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, KeyUnusable) as error:
        return PackReport(problems=(f"it is no pack of this version: {type(error).__name__}: {error}",))


def _checked(files: Mapping[str, bytes], trusted: Collection[VerifyingKey]) -> PackReport:
    keys = _keys(files)
    manifest = _bundle(files["manifest.sigstore.json"])
    signer = manifest["verificationMaterial"]["publicKey"]["hint"]
    if trusted and signer not in {each.fingerprint for each in trusted}:
        return PackReport(signer=signer, problems=(f"it is signed with {signer}, which is none of the given keys",))
    problems = list[str]()
    said: dict[str, dict[str, Any]] = {}
    for name in sorted(name for name in files if name.endswith(".sigstore.json")):
        try:
            said[name] = _verified(_bundle(files[name]), keys)
        except SignatureWrong as error:
            problems.append(f"{name} {error}")
        else:
            own = _bundle(files[name])["verificationMaterial"]["publicKey"]["hint"] == signer
            if not own and said[name]["predicateType"] != "urn:ringgate:approval:v1":
                problems.append(f"{name} is signed with another key than the pack")
    if problems:
        return PackReport(signer=signer, problems=tuple(problems))
    listed = said["manifest.sigstore.json"]
    if listed["predicateType"] != MANIFEST:
        problems.append("its manifest is none")
    digests = {each["name"]: each["digest"]["sha256"] for each in listed["subject"]}
    there = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    del there["manifest.sigstore.json"]
    problems += [f"{name} is not in it" for name in sorted(digests.keys() - there.keys())]
    problems += [f"{name} is not of it" for name in sorted(there.keys() - digests.keys())]
    problems += [
        f"{name} was changed" for name in sorted(digests.keys() & there.keys()) if digests[name] != there[name]
    ]
    entries = files["evidence.jsonl"].decode().split("\n")[:-1]
    problems += _chain(entries, json.loads(files["chain.json"]))
    return PackReport(
        listed["predicate"]["release"], signer, said["summary.sigstore.json"]["predicate"]["verificationResult"],
        len(said), len(entries), tuple(problems),
    )  # fmt: skip


def _keys(files: Mapping[str, bytes]) -> dict[str, VerifyingKey]:
    found = {}
    for name, content in files.items():
        if name.startswith("keys/") and name.endswith(".pub"):
            key = VerifyingKey.read(content.decode())
            if name != f"keys/{file_name(key.fingerprint)}.pub" or files[f"{name[:-4]}.pem"].decode() != key.pem:
                raise KeyUnusable(f"{name} is not what its name says")
            found[key.fingerprint] = key
    return found


def _bundle(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content)
    if found["mediaType"] != BUNDLE or set(found) != {"mediaType", "verificationMaterial", "dsseEnvelope"}:
        raise ValueError("a statement is in no Sigstore bundle of version 0.3")
    return found


def _verified(found: Mapping[str, Any], keys: Mapping[str, VerifyingKey]) -> dict[str, Any]:
    key = keys.get(found["verificationMaterial"]["publicKey"]["hint"])
    if key is None:
        raise SignatureWrong("is signed with a key that is not there")
    said: dict[str, Any] = json.loads(key.verify(found["dsseEnvelope"]))
    return said


def _chain(lines: list[str], chain: list[tuple[int, str]]) -> list[str]:
    """The entries of one release, with the digests of all."""
    digests: dict[int, str] = dict(chain)
    problems = [] if sorted(digests) == list(range(1, len(chain) + 1)) else ["its chain has a gap"]
    for line in lines:
        entry = json.loads(line)
        number = entry["number"]
        before = digests.get(number - 1, "0" * 64) if number > 1 else "0" * 64
        if digest_of_text(line) != digests.get(number) or entry["previous"] != before:
            problems.append(f"entry {number} is not the one of the chain")
    return problems
