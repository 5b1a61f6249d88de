"""What a check finds."""

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One line of `llmgw doctor`."""

    check: str
    """What was looked at."""
    level: Literal["ok", "warning", "failure"]
    message: str
    hint: str | None = None
    """What to do about it."""


def ok(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", message)


def warning(check: str, message: str, hint: str | None = None) -> Finding:
    """Works, though perhaps not as meant."""
    return Finding(check, "warning", message, hint)


def failure(check: str, message: str, hint: str | None = None) -> Finding:
    """Keeps the gateway from running."""
    return Finding(check, "failure", message, hint)
