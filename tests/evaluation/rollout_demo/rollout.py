"""The rollout as people lead it: commands, keys and probes; and what the hosts say afterwards."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringgate.estate import Estate
from tests.evaluation.commands import CommandFailed, Commands
from tests.evaluation.findings import Findings
from tests.evaluation.rollout_demo.files import FLAG, PROCESSES, RELEASE, RINGS
from tests.evaluation.rollout_demo.people import PEOPLE

PLATFORM = ("--platform", "command=hosts.toml")
FAULT = "lost-line"
BASELINE = 12
"""Runs of a ring before its upgrade: with fewer, no number of passes after it would promote it."""
ROUNDS = 20
"""Rounds of probes within which a bake must be decided."""
WAITING, BAKES = "without approval", "bakes:"


@dataclass
class Rollout:
    commands: Commands
    estate: Estate
    rings: Mapping[str, str]
    out: Path
    found: Findings
    rounds: dict[str, int] = field(default_factory=dict)
    approved: set[tuple[str, str]] = field(default_factory=set)
    records: list[dict[str, Any]] = field(default_factory=list)

    def of(self, ring: str) -> list[str]:
        return [name for name, its in self.rings.items() if its == ring]

    # --- before --------------------------------------------------------------------------------------------------

    def baseline(self) -> None:
        for ring in RINGS:
            for _ in range(-(-BASELINE // (len(PROCESSES) * len(self.of(ring))))):
                self._probe("--ring", ring)
        planned = self.commands.run("ringgate", "rollout", "plan", "release.toml", *PLATFORM, codes=(0, 1))
        self.found.that("the plan says whose approval ring 2 waits for", "waits for an approval" in planned.stdout)

    def _probe(self, *words: str) -> None:
        """A run that fails is the gate's affair."""
        processes = [word for each in PROCESSES for word in ("--scenario", each)]
        self.commands.run(
            "ringgate",
            "probe",
            "--inventory",
            "tenants",
            "--channel",
            "api",
            "--once",
            *processes,
            *words,
            codes=(0, 1),
        )

    # --- the first, with a fault -----------------------------------------------------------------------------------

    def first(self) -> None:
        spoilt = self.of("early")[0]
        (self.out / "firm" / "fault.json").write_text(json.dumps({spoilt: FAULT}), encoding="utf-8")
        code = self._lead("start", "release.toml", *PLATFORM)
        record = self._record()
        early = record["rings"]["early"]
        self.found.that("canary was promoted by the gate", record["rings"]["canary"]["decision"] == "promote")
        self.found.that("the fault in ring 2 paused the rollout", (code, early["decision"]) == (1, "pause"), early)
        named = [(each["tenant"], each["condition"]) for each in early["reasons"]]
        told = " ".join(each["sentence"] for each in early["reasons"])
        self.found.that(f"the books of {spoilt} are why, and nothing else",
                        set(named) == {(spoilt, "fingerprint_drift")}, early["reasons"])  # fmt: skip
        self.found.that("what was lost is named", "lost its line" in told, told)
        self.found.that("ring 3 was not begun", record["rings"]["broad"]["began"] is None)
        self.found.that("ring 3 runs 7.0 still", {self._series(x) for x in self.of("broad")} == {"7.0"})

    def taken_back(self) -> None:
        words = self._runbook("Take everything back")
        self.commands.run(*_filled(words, "the books of a tenant lost a line", self.out / "keys" / "grace"))
        record = self._record()
        begun = [*self.of("canary"), *self.of("early")]
        back = {name: record["tenants"][name]["stages"].get("rollback", {}) for name in begun}
        self.found.that("everybody who was upgraded runs 7.0", {self._series(x) for x in begun} == {"7.0"})
        self.found.that("their books are as they were",
                        all(each.get("outcome") == "passed" for each in back.values()), back)  # fmt: skip
        (self.out / "firm" / "fault.json").write_text("{}", encoding="utf-8")

    def _runbook(self, title: str) -> list[str]:
        """The words of the first command of a step of this release's runbook."""
        said = self.commands.run("ringgate", "runbook", "release.toml", *PLATFORM, "--json")
        steps = [step for part in json.loads(said.stdout)["parts"] for step in part["steps"]]
        found = next((step for step in steps if step["title"] == title), None)
        if not found or not found["commands"]:
            raise CommandFailed(f"the runbook has no command for: {title}")
        return shlex.split(found["commands"][0])

    # --- the second ------------------------------------------------------------------------------------------------

    def second(self) -> None:
        words = [each for each in self._runbook("Begin again") if each != "--wait"]
        self.rounds.clear()  # each bake has a self-test of its own
        code = self._lead(*words[2:])
        record = self._record()
        decided = {name: ring["decision"] for name, ring in record["rings"].items()}
        self.found.that("all three rings were promoted", (code, set(decided.values())) == (0, {"promote"}), decided)
        self.found.that("everybody runs 8.0", {self._series(each) for each in self.rings} == {"8.0"})
        if set(decided.values()) != {"promote"}:
            told = {name: [each["sentence"] for each in ring["reasons"]] for name, ring in record["rings"].items()}
            raise CommandFailed(f"the second rollout was not led to its end: {told}")
        lit = {name: ring["decision"] for name, ring in record["activation"].items()}
        order = [record["activation"][name]["began"] or "" for name in RINGS]
        self.found.that("features were switched on ring by ring",
                        set(lit.values()) == {"promote"} and order == sorted(order), lit)  # fmt: skip
        ended = max(ring["ended"] for ring in record["rings"].values())
        self.found.that("the release was dark until its last ring was promoted", order[0] > ended)
        self._flags()
        self._begun_in_windows(record)

    def _flags(self) -> None:
        asked = self.commands.run("ringgate", "rollout", "flags", "release.toml", *PLATFORM, "--json")
        on = {name for each in json.loads(asked.stdout) for name, state in each["on"].items() if state}
        self.found.that("OpenFeature says that the feature is on everywhere", on == set(self.rings), on)
        flags = json.loads((self.out / "firm" / "flags.json").read_text(encoding="utf-8"))
        listed = flags["flags"][FLAG]["targeting"]["if"][0]["in"][1]
        self.found.that("flagd's file names each tenant", set(listed) == set(self.rings), listed)

    def _begun_in_windows(self, record: Mapping[str, Any]) -> None:
        """As clocks show it where each tenant is."""
        from datetime import datetime
        from zoneinfo import ZoneInfo

        from ringgate.inventory import Inventory
        from ringgate.rollout.release import load_release

        inventory = Inventory.load(self.out / "firm" / "tenants")
        release = load_release(self.out / "firm" / "release.toml", inventory)
        windows = {name: each.times[0] for each in release.table.rollout.windows for name in each.tenants}
        outside = []
        for tenant in inventory.tenants:
            began = datetime.fromisoformat(record["tenants"][tenant.id]["stages"]["upgrade"]["began"])
            local = f"{began.astimezone(ZoneInfo(tenant.timezone)):%Y-%m-%d %H:%M}"
            begins, _, ends = windows[tenant.id].partition(" to ")
            if not begins <= local < ends:
                outside.append(tenant.id)
        zones = {tenant.timezone for tenant in inventory.tenants}
        self.found.that(f"each of {len(zones)} time zones was upgraded within its own window",
                        len(zones) > 1 and not outside, outside)  # fmt: skip

    # --- how -------------------------------------------------------------------------------------------------------

    def _lead(self, *words: str) -> int:
        """Leads it until it is decided: keys where it waits for people, probes where it waits for the gate."""
        while True:
            led, line = self.commands.begin("ringgate", "rollout", *words), 0
            try:
                while True:
                    line, said = led.said(WAITING, since=line)
                    if not said:
                        break
                    self._approve(led.line(line - 1))
                code = led.code()
            finally:
                led.stop()
            record = self._record()
            self.records.append(record)
            if not record["waits"]:
                if record["ended"] is None:
                    raise CommandFailed(f"rollout {' '.join(words)} ended with {code} and came to no end: see the log")
                return code
            if BAKES not in record["waits"]:
                raise CommandFailed(f"it waits for what nobody expected: {record['waits']}")
            self._bake(record["waits"].split()[1])
            words = ("start", "release.toml", *PLATFORM)

    def _approve(self, said: str) -> None:
        """Two people, each by their own key; the first alone, twice, opens nothing."""
        ring = next((each for each in RINGS if f"{each} is not opened" in said), "activation")
        record = self._record()
        if (record["session"], ring) in self.approved:
            return
        self.approved.add((record["session"], ring))
        for number, person in enumerate(PEOPLE):
            words = ("ringgate", "approve", "release.toml", "--ring", ring, "--key", str(self.out / "keys" / person))
            self.commands.run(*words)
            if number == 0:
                again = self.commands.run(*words, codes=(1,))
                self.found.that(f"{ring}: the same person a second time is refused", "refused" in again.stderr)
                self.found.that(f"{ring}: it still waits for the other", self._record()["waits"])

    def _bake(self, ring: str) -> None:
        number = self.rounds[ring] = self.rounds.get(ring, 0) + 1
        if number > ROUNDS:
            raise CommandFailed(f"{ring} is not decided after {ROUNDS} rounds of probes")
        if number == 1:
            self.commands.run(
                "ringgate", "gate", "--release", RELEASE, "--ring", ring, "--policy", "gate.toml", "--inventory",
                "tenants", "--self-test", "sign-in", codes=(0, 1, 2),
            )  # fmt: skip
        for _ in range(4 if ring == "canary" else 2):
            self._probe("--ring", ring)

    def _record(self) -> dict[str, Any]:
        said = self.commands.run("ringgate", "rollout", "status", "release.toml", *PLATFORM, "--json", codes=(0, 1, 2))
        found: dict[str, Any] = json.loads(said.stdout)
        return found

    def _series(self, tenant: str) -> str:
        return self.estate.place(tenant).series


def _filled(words: list[str], why: str, key: Path) -> list[str]:
    """A command of a runbook with what a person fills in."""
    given = {"the reason, in a sentence": why, "~/.ssh/id_ed25519": str(key)}
    return [given.get(each, each) for each in words]
