"""The platform: people can sign in, and nobody else can."""

from scenarios.sign_in import sign_in

__all__ = ["sign_in"]
