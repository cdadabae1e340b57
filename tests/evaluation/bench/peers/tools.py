"""The tools that are compared: how each is installed, started, and what a person writes for it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringgate.estate.progress import Stage
from ringgate.estate.tools import Tools, key, python_environment, python_tag, run

HERE = Path(__file__).parent
SCENARIO = HERE.parents[3] / "scenarios" / "project_to_cash.py"
WRITTEN = {".py", ".robot", ".resource", ".yaml", ".toml", ".ts", ".json"}

Command = Callable[[Path, int], list[str]]
"""Given the folder with the tool's programs and how many runs, what starts it in its project's folder."""


@dataclass(frozen=True)
class PeerTool:
    """`packages` are what is installed for it (none: it runs in our own environment), by npm if `node`. `repeated` is
    the file of its project that is copied for each further run, where the tool has no loop of its own. `also` is
    written, too."""

    name: str
    project: str
    packages: tuple[str, ...]
    command: Command
    repeated: str = ""
    also: tuple[Path, ...] = ()
    node: bool = False

    def install(self, tools: Tools) -> Path:
        """The folder with its programs."""
        if not self.packages:
            return Path(sys.executable).parent
        if self.node:
            folder = tools.root / f"peer-{self.project}-{key(self.packages)}"
            programs = "node_modules/.bin"
            return (
                tools.once(self.name, folder, lambda new, stage: self._by_npm(tools, new, stage), programs) / programs
            )
        folder = tools.root / f"peer-{self.project}-{key(self.packages, python_tag())}"
        tools.once(self.name, folder, lambda new, _: python_environment(new, self.packages), "bin/python")
        return folder / "bin"

    def _by_npm(self, tools: Tools, new: Path, stage: Stage) -> None:
        npm = tools.npm(stage)
        (new / "package.json").write_text('{"private": true}\n')
        options = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
        path = os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", "")])
        env = {**os.environ, "PATH": path, "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"}  # the browser is one for all
        run([*npm, "install", *options, *self.packages], f"{self.name} could not be installed", new, env)

    def lay_out(self, place: Path, runs: int, values: dict[str, str]) -> Path:
        """A copy of its project for so many runs. `values` replace their names in what has no variables itself."""
        folder = place / f"{self.project}-{runs}"
        shutil.copytree(HERE / self.project, folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file in folder.rglob("*.toml"):
            text = file.read_text()
            for name, value in values.items():
                text = text.replace(f"@{name}@", value)
            file.write_text(text)
        if self.repeated:
            first = folder / self.repeated
            for number in range(2, runs + 1):
                shutil.copy(first, first.with_name(first.name.replace("test_", f"test_{number}_")))
        return folder

    def lines(self) -> int:
        """Lines that a person writes, without empty ones and comments."""
        files = [each for each in (HERE / self.project).rglob("*") if each.suffix in WRITTEN]
        return sum(_lines(file) for file in (*files, *self.also))


def _lines(file: Path) -> int:
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return sum(1 for line in lines if line and not line.startswith(("#", "//")))


def _pytest(*arguments: str) -> Command:
    return lambda programs, runs: [str(programs / "pytest"), "-q", "--confcutdir=.", "--rootdir=.", *arguments]


SCRIPT = PeerTool(
    "bare httpx", "httpx_script", (), lambda programs, runs: [str(programs / "python"), "project_to_cash.py", str(runs)]
)
API: Sequence[PeerTool] = (
    SCRIPT,
    PeerTool(
        "Ringgate",
        "ringgate_suite",
        (),
        _pytest("suites", "--channel", "api"),
        "suites/test_project_to_cash.py",
        (SCENARIO,),
    ),
    PeerTool(
        "Robot Framework",
        "robot",
        ("robotframework~=7.0", "robotframework-requests~=0.9"),
        lambda programs, runs: [
            *(str(programs / "robot"), "--outputdir", "out", "--variable", f"RUNS:{runs}", "project_to_cash.robot")
        ],
    ),
    PeerTool(
        "Tavern",
        "tavern_yaml",
        ("tavern~=3.0", "pytest<9"),  # Tavern 3.7 does not start with pytest 9.2
        _pytest("-c", "/dev/null", "."),
        "test_project_to_cash.tavern.yaml",
    ),
    PeerTool(
        "Locust",
        "locust_file",
        ("locust~=2.40",),
        lambda programs, runs: [str(programs / "locust"), "--headless", "--users", "1", "--only-summary"],
    ),
)

BROWSER_SCRIPT = PeerTool(
    "bare Playwright",
    "playwright_script",
    (),
    lambda programs, runs: [str(programs / "python"), "sign_in.py", str(runs)],
)
BROWSER: Sequence[PeerTool] = (
    BROWSER_SCRIPT,
    PeerTool(
        "Ringgate",
        "ringgate_browser",
        (),
        _pytest("suites", "--channel", "browser"),
        "suites/test_sign_in.py",
    ),
    PeerTool(
        "Elastic Synthetics",
        "synthetics_journey",
        ("@elastic/synthetics@^1.24.0",),
        lambda programs, runs: [
            *(str(programs / "elastic-synthetics"), ".", "--screenshots", "off", "--no-throttling"),
        ],
        node=True,
    ),
)
