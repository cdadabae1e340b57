"""Reads the files of a release's controls: what they found, how grave it is, and whether their signature holds."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringgate.evidence import EvidenceKind, NewEvidence
from ringgate.evidence.signing import SignatureWrong, VerifyingKey
from ringgate.rollout.control_tables import GRAVITY, USUAL, ControlKind, ControlTable


@dataclass(frozen=True, slots=True)
class ControlFinding:
    """What a control came to. `counts` are findings by gravity, `worst` examples of those that are too grave; `problem`
    says why it does not pass, "" if it does. `digest` is the SHA-256 of the file, `signer` the key's fingerprint."""

    name: str
    kind: ControlKind
    file: str
    digest: str
    signer: str
    counts: dict[str, int]
    worst: tuple[str, ...]
    problem: str

    @property
    def outcome(self) -> str:
        return "failed" if self.problem else "passed"


def judge_controls(controls: Sequence[ControlTable], folder: Path) -> list[ControlFinding]:
    """Each control's file as it is now. Never raises: a file that cannot be read is a problem."""
    return [_judged(each, folder) for each in controls]


def control_evidence(found: ControlFinding, release: str) -> NewEvidence:
    """Noted once for each content of the file."""
    key = f"control/{release}/{found.name}/{found.digest or 'unread'}/{found.outcome}"
    body = {
        "name": found.name, "control": found.kind, "file": found.file, "digest": found.digest, "signer": found.signer,
        "counts": found.counts, "worst": found.worst, "outcome": found.outcome, "problem": found.problem,
    }  # fmt: skip
    return NewEvidence(EvidenceKind.CONTROL, key, release, body=body)


def _judged(table: ControlTable, folder: Path) -> ControlFinding:
    digest, signer, counts, worst = "", "", Counter[str](), list[str]()
    try:
        content = (folder / table.file).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        signer = _signer(table, folder, content)
        scale, allowed = GRAVITY[table.kind], table.allows or USUAL[table.kind]
        for gravity, words in _READ[table.kind](json.loads(content)):
            known = gravity if gravity in scale else scale[-1]  # what nobody knows is as grave as can be
            counts[known] += 1
            if scale.index(known) > scale.index(allowed):
                worst.append(f"{known}: {words}"[:200])
        problem = f"{len(worst)} findings graver than {allowed}: {worst[0]}" if worst else ""
    except SignatureWrong as error:
        problem = f"its signature {error}"
    except OSError as error:
        problem = f"{error.filename} cannot be read: {error.strerror}"
    except Exception as error:  # whatever stands there, it proves nothing
        problem = f"it is not what a {table.kind.value} file is: {type(error).__name__}"
    return ControlFinding(table.name, table.kind, table.file, digest, signer, dict(counts), tuple(worst[:5]), problem)


def _signer(table: ControlTable, folder: Path, content: bytes) -> str:
    if table.key is None:
        return ""
    key = VerifyingKey.read(table.key)
    envelope = json.loads((folder / f"{table.file}.dsse.json").read_text(encoding="utf-8"))
    if key.verify(envelope) != content:
        raise SignatureWrong("is of another text")
    return key.fingerprint


def _sarif(document: Any) -> Iterator[tuple[str, str]]:
    """Level and message of each result that nobody suppressed. A result without a level is a warning."""
    if not str(document["version"]).startswith("2."):
        raise ValueError("version")
    for run in document["runs"]:
        for each in run.get("results") or ():
            if not each.get("suppressions"):
                text = str((each.get("message") or {}).get("text", ""))
                yield str(each.get("level", "warning")), f"{each.get('ruleId', 'no rule')} {text}"


def _cyclonedx(document: Any) -> Iterator[tuple[str, str]]:
    """The gravest rating of each vulnerability, unless it was analysed away. One without a rating is critical."""
    if document["bomFormat"] != "CycloneDX":
        raise ValueError("bomFormat")
    scale = GRAVITY[ControlKind.CYCLONEDX]
    for each in document.get("vulnerabilities") or ():
        if (each.get("analysis") or {}).get("state") in ("not_affected", "false_positive", "resolved"):
            continue
        said = [str(rating.get("severity", "critical")) for rating in each.get("ratings") or ()] or ["critical"]
        yield max(said, key=lambda word: scale.index(word) if word in scale else len(scale)), str(each.get("id", ""))


def _policy(document: Any) -> Iterator[tuple[str, str]]:
    """Conftest's list of files with their failures and warnings."""
    if not isinstance(document, list) or not document:
        raise ValueError("no files")
    for file in document:
        for gravity, key in (("failure", "failures"), ("warning", "warnings")):
            for each in file.get(key) or ():
                yield gravity, f"{file['filename']} {each.get('msg', '')}"


_READ = {ControlKind.SARIF: _sarif, ControlKind.CYCLONEDX: _cyclonedx, ControlKind.POLICY: _policy}
