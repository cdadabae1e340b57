"""Rehearses a release on the tenants of an estate, ring by ring, and says where it stops and why.

release = load_release(Path("release.toml"), inventory)
rehearsal = assembled(release, inventory, platform, ledger, watcher)
record = rehearsal.run()
"""
