"""A year of a small services firm, made by a seeded generator: no server, no clock, the same year every time.

The firm sells hours to a handful of customers. For each of the twelve months before the month of `today` one
engagement is worked, billed and (mostly) paid; in the current month two are billed but not yet posted and one is
still being worked on.
"""

from __future__ import annotations

import calendar
import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from faker import Faker

from ringgate.estate.seed_spec import CITIES, SeedSpec

MONTHS = 12
ENGAGEMENTS_A_MONTH = 1
ENTRIES_A_TASK = (14, 20)
CUSTOMERS = 8
EMPLOYEES = 5
UNPAID = 4  # the last engagements that were posted are not paid yet; the one before them is paid in part,
CREDITED_FROM_END = 2  # and of the unpaid ones this one, counted from the end, was credited in full
CREDITED_BEFORE = timedelta(days=7)  # long after it was billed, and not so long ago that it would be due by now

SUBJECTS = {
    "en": (
        "Process review", "Data migration", "Controlling workshop", "Warehouse study", "Rollout support",
        "Interface design", "Year-end support", "Tender review", "Master data clean-up", "Pricing model",
        "Audit preparation", "Reporting package", "Service desk set-up",
    ),
    "de": (
        "Prozessanalyse", "Datenmigration", "Controlling-Workshop", "Lagerstudie", "Begleitung der Einführung",
        "Schnittstellenentwurf", "Jahresabschlusshilfe", "Ausschreibungsprüfung", "Stammdatenbereinigung",
        "Preismodell", "Prüfungsvorbereitung", "Berichtspaket", "Aufbau der Anlaufstelle",
    ),
}  # fmt: skip
ACTIVITIES = {
    "en": ("interviews", "analysis", "draft", "workshop", "review with the customer", "corrections", "documentation"),
    "de": ("Gespräche", "Auswertung", "Entwurf", "Workshop", "Abstimmung", "Korrekturen", "Dokumentation"),
}
PURCHASES = {
    "en": ("Second monitors", "Conference tickets", "Office chairs", "Course fees", "Software licences"),
    "de": ("Zweitbildschirme", "Konferenzkarten", "Bürostühle", "Kursgebühren", "Softwarelizenzen"),
}


@dataclass(frozen=True)
class Person:
    """An employee or a customer. `street`, `city` and `postal_code` are of a customer's invoice address."""

    name: str
    street: str = ""
    city: str = ""
    postal_code: str = ""


@dataclass(frozen=True)
class PlannedEntry:
    """Hours of one employee (index into `BusinessYear.employees`) on one day."""

    employee: int
    on: date
    hours: Decimal
    description: str


@dataclass(frozen=True)
class PlannedTask:
    """Billable work. `product` indexes `SeedSpec.products`; `effort` is in hours."""

    name: str
    product: int
    rate: Decimal
    effort: Decimal
    entries: tuple[PlannedEntry, ...]


@dataclass(frozen=True)
class Engagement:
    """A project for one customer (index into `BusinessYear.customers`).

    `billed_on` is the invoice's date, or the day of the last work while nothing is `billed`; `posted` whether the
    invoice was posted; `paid` is the fraction of the total that was paid on `paid_on`; `credited_on` when all of it
    was credited.
    """

    name: str
    customer: int
    tasks: tuple[PlannedTask, ...]
    billed_on: date
    billed: bool = True
    posted: bool = False
    paid: Decimal = Decimal(0)
    paid_on: date | None = None
    credited_on: date | None = None


@dataclass(frozen=True)
class Purchase:
    """A purchase request of an employee and how far it got: `waiting`, `approved` or `rejected`."""

    employee: int
    description: str
    quantity: int
    unit_price: Decimal
    needed_on: date
    outcome: str


@dataclass(frozen=True)
class BusinessYear:
    """Everything that happened, in order."""

    customers: tuple[Person, ...]
    employees: tuple[Person, ...]
    engagements: tuple[Engagement, ...]
    purchases: tuple[Purchase, ...]

    @property
    def posted(self) -> tuple[Engagement, ...]:
        return tuple(e for e in self.engagements if e.posted)

    @property
    def entries(self) -> int:
        return sum(len(task.entries) for e in self.engagements for task in e.tasks)


def generate(spec: SeedSpec) -> BusinessYear:
    """The tenant's year. A function of `spec.id`, its policy and `spec.today`."""
    return _Generator(spec).year()


def first_month(today: date) -> date:
    """The first day of the first month of the year."""
    return date(today.year - 1, today.month, 1)


class _Generator:
    """Holds the two sources of chance while a year is made."""

    def __init__(self, spec: SeedSpec) -> None:
        self.spec = spec
        self.chance = random.Random(spec.id)  # noqa: S311 - believable, not secret
        self.faker = Faker(spec.locale)
        self.faker.seed_instance(spec.id)
        language = spec.language if spec.language in SUBJECTS else "en"
        self.subjects = SUBJECTS[language]
        self.activities, self.things = ACTIVITIES[language], PURCHASES[language]

    def year(self) -> BusinessYear:
        customers = tuple(self._customer() for _ in range(CUSTOMERS))
        employees = tuple(Person(self._name()) for _ in range(EMPLOYEES))
        engagements = (*self._settle(self._past()), *self._current())
        return BusinessYear(customers, employees, engagements, self._purchases())

    def _name(self) -> str:
        romanized = getattr(self.faker, "romanized_name", None)
        return str(romanized() if romanized else f"{self.faker.first_name()} {self.faker.last_name()}")

    def _customer(self) -> Person:
        street = str(self.faker.street_address()).replace("\n", ", ")
        return Person(str(self.faker.unique.company()), street, CITIES[self.spec.locale], str(self.faker.postcode()))

    def _past(self) -> list[Engagement]:
        """What was billed in each full month, in the order of billing."""
        made: list[Engagement] = []
        month = first_month(self.spec.today)
        for _ in range(MONTHS):
            days = calendar.monthrange(month.year, month.month)[1]
            for part in range(1, ENGAGEMENTS_A_MONTH + 1):
                billed_on = month.replace(day=days * part // ENGAGEMENTS_A_MONTH)
                made.append(self._engagement(len(made), billed_on))
            month = month.replace(day=days) + timedelta(days=1)
        return made

    def _current(self) -> list[Engagement]:
        """Two drafts, and work that is not billed at all, none of it later than today."""
        count, today = MONTHS * ENGAGEMENTS_A_MONTH, self.spec.today
        drafts = [self._engagement(count + i, today) for i in range(2)]
        return [*drafts, replace(self._engagement(count + 2, today), billed=False)]

    def _engagement(self, number: int, until: date) -> Engagement:
        subject = self.subjects[number % len(self.subjects)]
        tasks = [self._task(subject, until, self.chance.randrange(len(self.spec.products)))]
        if number % 4 == 3:  # now and then two services on one invoice, under different taxes where there are two
            activity = self.activities[number % len(self.activities)]
            tasks.append(self._task(f"{subject}: {activity}", until, (tasks[0].product + 1) % len(self.spec.products)))
        return Engagement(f"{subject} {until:%Y-%m}", number % CUSTOMERS, tuple(tasks), until)

    def _task(self, name: str, until: date, product: int) -> PlannedTask:
        low, high, step = self.spec.rates
        entries = tuple(self._entry(until) for _ in range(self.chance.randint(*ENTRIES_A_TASK)))
        effort = sum((entry.hours for entry in entries), Decimal(0))
        return PlannedTask(name, product, Decimal(self.chance.randrange(low, high + 1, step)), effort, entries)

    def _entry(self, until: date) -> PlannedEntry:
        """Between a quarter of an hour and a day's work, on a weekday of the fortnight that ends at `until`."""
        on = until - timedelta(days=self.chance.randrange(14))
        on -= timedelta(days=max(0, on.weekday() - 4))
        on = max(on, first_month(self.spec.today))
        hours = Decimal(self.chance.randint(1, 32)) / 4
        return PlannedEntry(self.chance.randrange(EMPLOYEES), on, hours, self.chance.choice(self.activities))

    def _settle(self, billed: list[Engagement]) -> list[Engagement]:
        """Posts all of them, and lets most be paid, one in part, one be credited."""
        settled = []
        for number, engagement in enumerate(billed):
            from_end = len(billed) - number
            on = min(engagement.billed_on + timedelta(days=self.chance.randint(12, 34)), self.spec.today)
            if from_end == CREDITED_FROM_END:
                on = max(self.spec.today - CREDITED_BEFORE, engagement.billed_on)
                settled.append(replace(engagement, posted=True, credited_on=on))
            elif from_end > UNPAID:
                part = Decimal(1) if from_end > UNPAID + 1 else Decimal("0.4")
                settled.append(replace(engagement, posted=True, paid=part, paid_on=on))
            else:
                settled.append(replace(engagement, posted=True))
        return settled

    def _purchases(self) -> tuple[Purchase, ...]:
        low, high, step = self.spec.rates
        outcomes = ("approved", "rejected", "waiting", "waiting", "waiting")
        return tuple(
            Purchase(
                employee=number % EMPLOYEES,
                description=self.things[number],
                quantity=self.chance.randint(2, 6),
                unit_price=Decimal(self.chance.randrange(low, high + 1, step) * 3),
                needed_on=self.spec.today + timedelta(days=10 + number),
                outcome=outcome,
            )
            for number, outcome in enumerate(outcomes)
        )
