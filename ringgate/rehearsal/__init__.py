"""Rehearses a release on the tenants of an estate, ring by ring, and says where it stops and why.

release = load_release(Path("release.toml"), inventory)
story = Rehearsal(release, inventory, platform, folder).run()
"""
