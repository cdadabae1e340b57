"""What differs between the ERP's long-term series, as data. A new series is a new record here.

The ERP lives in a virtual environment of its own; only its command line and its HTTP port are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MODULES = (
    "account",
    "account_invoice",
    "account_invoice_line_standalone",
    "account_payment",
    "account_product",
    "company",
    "company_work_time",
    "country",
    "currency",
    "party",
    "product",
    "project",
    "project_invoice",
    "purchase",
    "purchase_request",
    "purchase_requisition",
    "sale",
    "timesheet",
    "timesheet_cost",
)
"""Modules that every tenant of the estate has; what they depend on comes with them."""

LANGUAGES = ("en",)
"""Languages that every tenant has; one that works in another gets that too when it is seeded."""


@dataclass(frozen=True, slots=True)
class WebClientPackage:
    """How to lay out the web client of a series.

    `packages` are npm specifications, `home` the folder below the root in which the client looks for its libraries,
    `links` are made inside it (name -> target, relative to the link's own folder).
    """

    package: str
    packages: tuple[str, ...]
    home: str
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Series:
    """One series: what to install, how to lay out its web client, and how to address it.

    `rpc` and `root_rpc` are the paths of calls on a database and on the server. `preload` says whether the databases
    may be loaded before the server forks its workers, which halves memory and makes a reload a matter of a fork.
    `on_demand` says whether a running server takes up a database that it was not told to load.
    """

    name: str
    database_driver: str
    web_client: WebClientPackage
    rpc: str
    root_rpc: str
    preload: bool = True
    on_demand: bool = True
    extras: tuple[str, ...] = field(default=("argon2-cffi", "gunicorn>=25,<28"))

    def requirements(self, modules: tuple[str, ...]) -> list[str]:
        """What the virtual environment holds, as pip specifications."""
        ours = [f"trytond_{module}~={self.name}.0" for module in modules]
        return [f"trytond~={self.name}.0", *ours, self.database_driver, *self.extras]

    def rpc_path(self, database: str) -> str:
        return self.rpc.format(database=database)


V70 = Series(
    name="7.0",
    database_driver="psycopg2-binary",
    web_client=WebClientPackage(
        package="tryton-sao",
        packages=(
            "tryton-sao@~7.0.0",
            "jquery@3",
            "bootstrap@3",
            "moment@2",
            "gettext.js@1",
            "c3@0.7",
            "papaparse@5",
            "fullcalendar@3",
            "mousetrap@1",
            "sortablejs@1",
            "bootstrap-rtl-ondemand",
        ),
        home="bower_components",
        # The client asks for the names that its own package manager gave these files.
        links={
            "Sortable": "sortablejs",
            "gettext.js/dist/gettext.min.js": "gettext.iife.min.js",
            "d3/d3.min.js": "dist/d3.min.js",
        },
    ),
    rpc="/{database}/",
    root_rpc="/",
)

V80 = Series(
    name="8.0",
    database_driver="psycopg[binary,pool]",
    web_client=WebClientPackage(package="tryton-sao", packages=("tryton-sao@~8.0.0",), home="node_modules", links={}),
    rpc="/{database}/rpc/",
    root_rpc="/rpc/",
    # Its database driver keeps threads, which do not survive a fork.
    preload=False,
    on_demand=False,
)

SERIES: Mapping[str, Series] = {series.name: series for series in (V70, V80)}
"""In their order: a tenant is upgraded from an earlier to a later one."""

DEFAULT = V70
