"""`ringgate init`: an inventory, suites and a CI file of one's own, in a folder that has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from ringgate.cli.common import Exit


class Ci(StrEnum):
    """Whose pipeline file is written."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


_CI_FILES: Final = {
    Ci.GITHUB: ("deploy/ci/github-actions.yml", ".github/workflows/release-gate.yml"),
    Ci.GITLAB: ("deploy/ci/gitlab-ci.yml", ".gitlab-ci.yml"),
}


def add_to(app: typer.Typer) -> None:
    app.command(name="init")(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where; it is made if it is not there.")] = Path(),
    tenant: Annotated[str, typer.Option(metavar="ID", help="The first tenant: letters, digits and dashes.")] = "",
    name: Annotated[str, typer.Option(metavar="NAME", help="What its company is called in the ERP.")] = "",
    erp: Annotated[str, typer.Option(metavar="NAME", help="Its ERP, by the name of a driver.")] = "",
    api: Annotated[str, typer.Option(metavar="URL", help="Where its API answers.")] = "",
    web: Annotated[str, typer.Option(metavar="URL", help="Where its web client opens; none: no browser channel.")] = "",
    currency: Annotated[str, typer.Option(metavar="CODE", help="Its company's currency.")] = "",
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="Its time zone.")] = "",
    language: Annotated[str, typer.Option(metavar="CODE", help="The language its users work in.")] = "en",
    ci: Annotated[Ci, typer.Option(help="Whose pipeline file is written.")] = Ci.GITHUB,
) -> int:
    """Make an inventory, a suite and a CI file in a folder of your own.

    Asks for what is not given, where somebody can answer. Never overwrites: what is there already is kept and named.
    """
    from ringgate.cli.common import UsageMistake
    from ringgate.drivers.registry import known_erps

    given = {"tenant": tenant, "erp": erp, "api": api, "web": web, "currency": currency, "timezone": timezone}
    given |= {"language": language, "name": name}
    answers = _answered(given, known_erps())
    files = _files(answers, ci)
    if problems := _problems(files):
        raise UsageMistake("\n".join(problems))
    written, kept = _write(folder, files)
    _tell(folder, answers["tenant"], written, kept)
    return Exit.OK


_QUESTIONS: Final = {
    "tenant": ("The first tenant's id (letters, digits, dashes)", ""),
    "name": ("What its company is called in the ERP (empty: as its id)", ""),
    "erp": ("Its ERP", ""),
    "api": ("Where its API answers (URL)", ""),
    "web": ("Where its web client opens (URL; empty: none)", ""),
    "currency": ("Its currency (ISO 4217)", ""),
    "timezone": ("Its time zone", "UTC"),
}
"""Option -> what is asked for it, and what an empty answer stands for."""

_MAY_BE_EMPTY: Final = frozenset({"name", "web"})


def _answered(given: Mapping[str, str], erps: Sequence[str]) -> dict[str, str]:
    """`given`, with answers for what is missing. Raises UsageMistake naming every option, where nobody can answer."""
    import sys

    from ringgate.cli.common import UsageMistake

    answers = dict(given)
    if not answers["erp"] and len(erps) == 1:
        answers["erp"] = erps[0]
    missing = [name for name in _QUESTIONS if not answers[name] and name not in _MAY_BE_EMPTY]
    if missing and not sys.stdin.isatty():
        names = ", ".join(f"--{name}" for name in missing)
        raise UsageMistake(f"{names} must be given, since there is no terminal to ask at.")
    if missing:
        for name in (name for name in _QUESTIONS if not answers[name]):
            question, default = _QUESTIONS[name]
            question += f" ({', '.join(erps)})" if name == "erp" else ""
            answers[name] = typer.prompt(question, default=default, show_default=bool(default)).strip()
    return answers


def _files(answers: Mapping[str, str], ci: Ci) -> dict[str, str]:
    """Path below the folder -> its text."""
    from ringgate.host import paths

    name = answers["tenant"]
    suites = paths.shipped("suites")
    files = {
        "tenants/defaults.toml": _DEFAULTS.replace("@ERP@", answers["erp"]),
        f"tenants/{name}.toml": _tenant(answers),
        **{
            f"suites/{path.relative_to(suites).as_posix()}": path.read_text(encoding="utf-8")
            for path in sorted(suites.rglob("test_*.py"))
        },
        "pyproject.toml": PROJECT,
        ".gitignore": "reports/out/\n.venv/\n__pycache__/\n",
    }
    if ci is not Ci.NONE:
        source, target = _CI_FILES[ci]
        shipped = paths.shipped(source.partition("/")[0]) / source.partition("/")[2]
        files[target] = shipped.read_text(encoding="utf-8")
    return files


def _tenant(answers: Mapping[str, str]) -> str:
    name = answers["tenant"]
    variable = name.upper().replace("-", "_")
    values: dict[str, str] = {
        "@ID@": name,
        "@NAME@": answers["name"] or name.replace("-", " ").title(),
        "@ZONE@": answers["timezone"],
        "@LANGUAGE@": answers["language"],
        "@API@": answers["api"],
        "@CURRENCY@": answers["currency"].upper(),
        "@WEB@": f'web = "{answers["web"]}"\n' if answers["web"] else "",
    }
    text = _TENANT
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text + "".join(_USER.format(role=role, variable=f"{variable}_{role.upper()}_PASSWORD") for role in _ROLES)


def _problems(files: Mapping[str, str]) -> list[str]:
    """What is wrong with the inventory that would be written, each with file, key and rule."""
    import tempfile

    from ringgate.inventory import Inventory, InventoryError

    with tempfile.TemporaryDirectory() as draft:
        root = Path(draft)
        for name, text in files.items():
            if name.startswith("tenants/"):
                path = root / name
                if root.resolve() not in path.resolve().parents:
                    return [f"--tenant: {name} leads out of the folder"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        try:
            Inventory.load(root / "tenants")
        except InventoryError as error:
            return [str(problem).replace(f"{root}/", "") for problem in error.problems]
    return []


def _write(folder: Path, files: Mapping[str, str]) -> tuple[list[str], list[str]]:
    written, kept = [], []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            written.append(name)
        except FileExistsError:
            kept.append(name)
    return written, kept


def _tell(folder: Path, tenant: str, written: Sequence[str], kept: Sequence[str]) -> None:
    say: Callable[[str], None] = typer.echo
    for name in written:
        say(f"written  {folder / name}")
    for name in kept:
        say(f"kept     {folder / name} (it was there)")
    if "pyproject.toml" in kept:
        say("\nYour pyproject.toml must ask for Ringgate; add this to it:\n")
        say(PROJECT)
    there = "" if folder.resolve() == Path.cwd().resolve() else f"cd {folder}\n     "
    say(f"""
Next:
  1. {there}Set the passwords of the synthetic users: the variables that tenants/{tenant}.toml names.
  2. ringgate tenants check       # are the files right?
  3. ringgate tenants doctor      # do they agree with the ERP? Each difference comes with its remedy.
  4. pytest suites --smoke        # the first verdict; the report lies in reports/out/report.html""")


_ROLES: Final = ("consultant", "project_manager", "approver", "accountant", "auditor")

_DEFAULTS: Final = """\
# What holds for every tenant that does not say otherwise. `ringgate tenants keys` explains each key.
rings = ["canary", "early", "broad"]
erp = "@ERP@"

# What is agreed with the customer, never what the ERP happens to say: expectations are computed from here.
[policy]
tax_rounding = "document"
rounding_mode = "half-even"
approval = { steps = 1 }
invoice_method = "timesheet"
effects = "reversible"
payment_term = { name = "30 days", days = 30 }
accounts = { receivable = "1100", revenue = "4000", tax = "2200", cash = "1000" }
product = "Consulting"
customer = "Ringgate Synthetic Client"

# How often `ringgate probe` runs each process.
[probes]
api = "5 min"
browser = "30 min"
"""

_TENANT: Final = """\
# One tenant; what is not said here comes from defaults.toml and its cohorts.
id = "@ID@"
name = "@NAME@"
ring = "canary"
timezone = "@ZONE@"
language = "@LANGUAGE@"

[endpoints]
api = "@API@"
@WEB@
[policy]
currency = "@CURRENCY@"
# tax = { name = "VAT 20%", rate = "0.20", rounding = "line" }
# payment_term = { name = "30 days", days = 30 }
# accounts = { receivable = "1100", revenue = "4000", tax = "2200", cash = "1000" }

# One user of its own for each role, with its own rights and no more. Passwords are references, never values.
"""

_USER: Final = """\
[users.{role}]
login = "synthetic.{role}"
password = {{ env = "{variable}" }}
"""

PROJECT: Final = """\
[tool.pytest.ini_options]
minversion = "8.2"
ringgate = true
testpaths = ["suites"]
pythonpath = ["."]
# Plugins of libraries that are not needed here take a fifth of a start. `--alluredir` loads Allure's all the same.
addopts = ["--import-mode=importlib", "-p", "no:faker", "-p", "no:anyio", "-p", "no:allure_pytest"]
"""
