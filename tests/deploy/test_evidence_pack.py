"""Every byte of a pack, changed: no verifier may let it pass, neither Ringgate's own nor others'."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ringgate.evidence.pack_check import checked_pack
from tests.unit.evidence.packs import GRACE, KEY, files_of, foreign, pack_of

SCRIPT = """
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');
const crypto = require('crypto'), fs = require('fs');
const { keys, bundles } = JSON.parse(fs.readFileSync(0));
const found = {};
const der = { type: 'spki', format: 'der' };
for (const hint in keys) found[hint] = { rawBytes: crypto.createPublicKey(keys[hint]).export(der) };
const root = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const none = { tlogThreshold: 0, timestampThreshold: 0, ctlogThreshold: 0 };
const verifier = new Verifier(toTrustMaterial(root, found), none);
const accepted = bundles.map((text) => {
  try { verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(text)))); return true; } catch (e) { return false; }
});
console.log(JSON.stringify(accepted));
"""


@pytest.mark.sweep
def test_no_changed_byte_of_a_pack_passes(tmp_path: Path) -> None:
    pack = pack_of(tmp_path)
    missed = []
    for place in range(len(pack)):
        changed = bytearray(pack)
        changed[place] ^= 1 << (place % 8)
        if checked_pack(bytes(changed), [KEY.public]).holds:
            missed.append(place)
    assert missed == []


@pytest.mark.sweep
def test_another_partys_verifier_refuses_each_changed_byte_of_what_is_signed(tmp_path: Path) -> None:
    for content in _bundles(pack_of(tmp_path)).values():
        assert foreign(content)
        for changed in _changes(content, 1):
            with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises, it does not accept
                foreign(changed)


@pytest.mark.skipif(
    not shutil.which("npm"), reason="there is no npm here: Sigstore's own verifier is a package of Node's"
)
def test_sigstores_own_verifier_accepts_every_statement_and_refuses_changed_ones(tmp_path: Path) -> None:
    words = ["npm", "install", "--silent", "--no-audit", "--no-fund", "@sigstore/verify@3", "@sigstore/bundle@4"]
    (tmp_path / "package.json").write_text("{}")
    subprocess.run(words, cwd=tmp_path, check=True, timeout=300)
    bundles = _bundles(pack_of(tmp_path))
    assert _sigstore(tmp_path, list(bundles.values())) == [True] * len(bundles)
    changed = [each for content in bundles.values() for each in _changes(content, 40)]
    assert len(changed) > 100
    assert set(_sigstore(tmp_path, changed)) == {False}


def _bundles(pack: bytes) -> dict[str, bytes]:
    return {name: content for name, content in files_of(pack).items() if name.endswith(".sigstore.json")}


def _changes(content: bytes, each: int) -> list[bytes]:
    """The bundle with a byte of its payload or its signature changed, at every `each`th place."""
    found = []
    for part in ("payload", "sig"):
        bundle = json.loads(content)
        envelope = bundle["dsseEnvelope"]
        holder = envelope if part == "payload" else envelope["signatures"][0]
        raw = base64.b64decode(holder[part])
        for place in range(0, len(raw), each):
            changed = bytearray(raw)
            changed[place] ^= 1
            holder[part] = base64.b64encode(bytes(changed)).decode()
            found.append(json.dumps(bundle).encode())
    return found


def _sigstore(folder: Path, bundles: list[bytes]) -> list[bool]:
    keys = {key.public.fingerprint: key.public.pem for key in (KEY, GRACE)}
    given = json.dumps({"keys": keys, "bundles": [each.decode() for each in bundles]})
    (folder / "verify.js").write_text(SCRIPT)
    done = subprocess.run(
        ["node", "verify.js"], cwd=folder, input=given, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))
