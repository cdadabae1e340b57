"""How a tenant's synthetic users sign in. Secrets are references; nothing here reads one unless it is asked to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ringgate.domain.errors import SecretMissing
from ringgate.domain.secrets import Secret
from ringgate.domain.terms import Channel


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a user signs in over one channel. Secrets are references; at least one of `password` and `key` is there.

    `key` is an API key or token that stands for the password. `one_time_codes` refers to the seed of the user's
    one-time codes (TOTP, base32); None where none are asked for."""

    login: str
    password: Secret | None = None
    key: Secret | None = None
    one_time_codes: Secret | None = None

    def required_password(self) -> Secret:
        """The password, not revealed. Raises SecretMissing where there is none, or its reference does not resolve."""
        if self.password is None:
            raise SecretMissing(f'"{self.login}" has no password for this channel, and its driver takes nothing else')
        self.password.reveal()
        return self.password

    def reveal_password(self) -> str:
        """What `required_password` points at."""
        return self.required_password().reveal()

    @property
    def where(self) -> str:
        """Where the secrets are, for people."""
        named = (("password", self.password), ("key", self.key), ("seed of one-time codes", self.one_time_codes))
        return ", ".join(f"the {word} in {secret.reference}" for word, secret in named if secret is not None)


@dataclass(frozen=True, slots=True)
class Account:
    """A synthetic user: a login and a reference to its password, and what differs for a channel."""

    login: str
    password: Secret | None
    channels: Mapping[Channel, Credentials] = field(default_factory=dict)

    def on(self, channel: Channel) -> Credentials:
        """How this user signs in over a channel."""
        return self.channels.get(channel) or Credentials(self.login, self.password)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every reference, each once."""
        found = [
            each
            for way in self.channels.values()
            for each in (way.password, way.key, way.one_time_codes)
            if each is not None
        ]
        return tuple(dict.fromkeys([*([self.password] if self.password else []), *found]))
