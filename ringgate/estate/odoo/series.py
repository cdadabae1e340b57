"""What differs between the series that an estate can run, as data: packages, Python, modules. Nothing is sent.

The ERP comes as Debian packages that are unpacked, never installed, and as pinned Python packages of an environment of
its own; only its command line and its HTTP port are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MODULES = (
    "base",
    "web",
    "account",
    "sale_management",
    "sale_timesheet",
    "sale_project",
    "project",
    "hr_timesheet",
    "purchase",
    "base_automation",
)
"""Modules that every tenant of the estate has; what they depend on comes with them."""

LIBRARIES = PurePosixPath("usr/lib/python3/dist-packages")
"""Where Debian puts the ERP's own code, below the folder that a package is unpacked in."""

Suite = str
"""A release of Debian: bullseye, bookworm, sid."""


@dataclass(frozen=True, slots=True)
class DebianPackage:
    """One version of the ERP, and the SHA-256 of its file."""

    suite: Suite
    name: str
    version: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """One series. `assets` are Debian packages of what its web client links to; `addons` is below `LIBRARIES`."""

    name: str
    package: DebianPackage
    assets: Mapping[Suite, tuple[str, ...]]
    python: str
    addons: PurePosixPath
    charts: tuple[str, ...]
    command: tuple[str, ...]
    without_demo: str
    old_tools: tuple[str, ...] = ()

    @property
    def modules(self) -> tuple[str, ...]:
        return (*MODULES, *self.charts)

    @property
    def requirements(self) -> list[str]:
        """The pinned Python packages."""
        pins = Path(__file__).with_name(f"requirements-{self.name}.txt")
        return pins.read_text(encoding="utf-8").split()


_S14 = SeriesFacts(
    name="14.0",
    package=DebianPackage(
        "bullseye",
        "odoo-14",
        "14.0.0+dfsg.2-7+deb11u2",
        "odoo-14_14.0.0+dfsg.2-7+deb11u2_all.deb",
        "95f0532e73d2d84490355716f74ee535db16a3bb1e889d15a72ff402dbed7ecb",
    ),
    assets={
        "bullseye": (
            "libjs-jquery", "libjs-underscore", "libjs-jquery-ui", "fonts-roboto-unhinted",
            "fonts-glyphicons-halflings", "fonts-font-awesome", "fonts-inconsolata",
        )
    },
    python="3.8",
    addons=LIBRARIES / "odoo" / "addons",
    charts=("l10n_generic_coa", "l10n_de_skr03"),
    command=("usr/bin/odoo",),
    without_demo="--without-demo=all",
    # Its dependencies are built by tools of their time.
    old_tools=("pip<24", "setuptools<58", "wheel<0.38"),
)  # fmt: skip
_S19 = SeriesFacts(
    name="19.0",
    package=DebianPackage(
        "sid",
        "odoo-19",
        "19.0.0+dfsg-1",
        "odoo-19_19.0.0+dfsg-1_all.deb",
        "9d2f598b0555db17e291d48ed24df184c70823c053c4c5ed53c467ca7f629bbf",
    ),
    assets={
        "sid": (
            "libjs-jquery", "libjs-jquery-form", "libjs-underscore", "fonts-roboto-unhinted", "fonts-montserrat",
            "fonts-glyphicons-halflings", "fonts-ocr-b", "fonts-dejavu-core", "fonts-urw-base35", "gsfonts",
        ),
        "bookworm": ("fonts-font-awesome", "fonts-inconsolata"),
    },
    python="3.11",
    addons=LIBRARIES / "addons",
    charts=("l10n_de",),
    command=("-m", "odoo", "server"),
    without_demo="--without-demo=True",
)  # fmt: skip

SERIES: Mapping[str, SeriesFacts] = {each.name: each for each in (_S14, _S19)}
"""In their order: a tenant is upgraded from an earlier to a later one."""
