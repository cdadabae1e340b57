"""Sigstore's own verifier for Node, brought once: whether it accepts bundles, with keys given by their fingerprints."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

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


def npm_is_there() -> bool:
    return shutil.which("npm") is not None and shutil.which("node") is not None


def install_verifier(folder: Path) -> None:
    """Installs it into a folder of its own. Raises CalledProcessError, or TimeoutExpired after five minutes."""
    words = ["npm", "install", "--silent", "--no-audit", "--no-fund", "@sigstore/verify@3", "@sigstore/bundle@4"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text("{}")
    subprocess.run(words, cwd=folder, check=True, timeout=300)
    (folder / "verify.js").write_text(SCRIPT)


def accepted(folder: Path, keys: Mapping[str, str], bundles: Sequence[bytes]) -> list[bool]:
    """Of each bundle, whether the verifier in `folder` accepts it. `keys` are PEM texts by fingerprint."""
    given = json.dumps({"keys": keys, "bundles": [each.decode("utf-8", "replace") for each in bundles]})
    done = subprocess.run(
        ["node", "verify.js"], cwd=folder, input=given, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return list(json.loads(done.stdout))
