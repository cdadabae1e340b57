"""Telling people by mail, chat or webhook when a rollout pauses, is rolled back, waits or is done.

A messenger that fails never stops a rollout: that it failed is a remark of the rollout's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from ringgate.domain.secrets import Secret
from ringgate.host.secrets import redact
from ringgate.rollout.message_tables import RolloutNews
from ringgate.rollout.record import RehearsalRecord
from ringgate.rollout.release_tables import RolloutAction

PATIENCE = 30.0
"""Seconds for which the end of a rollout waits for messages that are under way."""


_NEWS = {RolloutAction.PAUSE: RolloutNews.PAUSED, RolloutAction.ROLL_BACK: RolloutNews.ROLLED_BACK}


@dataclass(frozen=True, slots=True)
class RolloutMessage:
    """One thing to tell. `key` names the fact: it is told once."""

    key: str
    news: RolloutNews
    title: str
    text: str


def messages_of(record: RehearsalRecord) -> list[RolloutMessage]:
    """What a record says that people want to know. Pure."""
    found = []
    listed = [*record.rings.items(), *((f"activation of {name}", each) for name, each in record.activation.items())]
    for name, ring in listed:
        if news := _NEWS.get(ring.decision) if ring.decision else None:
            why = "; ".join(" ".join(filter(None, (each.tenant, each.sentence))) for each in ring.reasons[:5])
            key = f"{name} {news} {ring.ended}"
            found.append(RolloutMessage(key, news, f"{record.title}: {name} {news}", why or "No reason was noted."))
    if record.waits:
        found.append(RolloutMessage(record.waits, RolloutNews.WAITING, f"{record.title}: waiting", record.waits))
    if record.ended and record.succeeded:
        words = f"{len(record.tenants)} tenants run {record.after}."
        found.append(RolloutMessage(f"done {record.ended}", RolloutNews.DONE, f"{record.title}: done", words))
    return found


@dataclass
class RolloutMessages:
    """Sends what is new in a record, one after the other, beside the rollout. `to` are addresses with what each wants
    to know; `told` are keys of what was told before. Called by one thread at a time."""

    to: Sequence[tuple[Secret, Sequence[RolloutNews]]]
    remark: Callable[[str], None]
    told: set[str] = field(default_factory=set)
    _sender: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="messages"))
    _sent: list[Future[None]] = field(default_factory=list)

    def note(self, record: RehearsalRecord) -> None:
        """Sends what was not told. Never raises."""
        for message in messages_of(record):
            if message.key not in self.told:
                self.told.add(message.key)
                self._sent += [
                    self._sender.submit(self._send, address, message)
                    for address, wanted in self.to if message.news in wanted
                ]  # fmt: skip

    def settle(self) -> None:
        """Waits a little for what is under way, and says what did not get through in time. More may be noted later:
        what has ended can be rolled back."""
        _, late = wait(self._sent, PATIENCE)
        if late:
            self.remark(f"{len(late)} messages were not sent within {PATIENCE:.0f} s")
            for each in late:
                each.cancel()
        self._sent.clear()

    def _send(self, address: Secret, message: RolloutMessage) -> None:
        try:
            from apprise import Apprise  # an optional dependency

            sender = Apprise()
            if not sender.add(address.reveal()):
                raise ValueError("it is no address of Apprise's")
            if not sender.notify(title=redact(message.title), body=redact(message.text)):
                raise ValueError("it was not accepted")
        except ImportError:
            self.remark(f"nobody was told that it is {message.news}: install ringgate[notify]")
        except Exception as error:  # whatever a messenger does, the rollout goes on
            why = redact(str(error))
            self.remark(f"the address in {address.reference} was not told that it is {message.news}: {why}")
