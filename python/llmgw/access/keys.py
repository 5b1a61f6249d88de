"""Virtual keys: making them, judging them, and what is kept of them."""

from datetime import UTC, datetime

import msgspec

from llmgw import _native
from llmgw.settings.schema import KeyEntry
from llmgw.settings.secrets import Secret

MASTER_ALIAS = "master"
"""The alias of the admin key; no other key may have it."""

SHORTEST = 16
"""Fewer characters than this can be guessed."""

_EXAMPLES = frozenset(
    {
        "sk-1234",
        "sk-1234567890abcdef",
        "sk-12345678901234567890",
        "sk-xxxxxxxxxxxxxxxx",
        "your-master-key-here",
        "change-me-change-me",
        "sk-your-master-key-here",
        "sk-master-key-change-me",
    }
)


class MadeKey(msgspec.Struct, frozen=True):
    """A new key: its value, to be shown once, and what is kept."""

    secret: Secret
    entry: KeyEntry


def make_key(entry_fields: KeyEntry, pepper: Secret, now: datetime) -> MadeKey:
    """A fresh key with the limits of `entry_fields`, whose own key or digest is not looked at."""
    key = _native.generate_key()
    entry = msgspec.structs.replace(
        entry_fields,
        key=None,
        digest=digest(Secret(key), pepper),
        hint=hint(key),
        created=now.astimezone(UTC).isoformat(timespec="seconds"),
    )
    return MadeKey(Secret(key), entry)


def digest(key: Secret, pepper: Secret) -> str:
    """Hex HMAC-SHA256 of the key under the pepper."""
    return _native.key_digest(pepper.reveal(), key.reveal())


def hint(key: str) -> str:
    """What a listing shows of a key: `sk-…ab12`."""
    return f"{key[:3]}…{key[-4:]}" if len(key) >= SHORTEST else "…"


def weakness(key: Secret) -> str | None:
    """Why this key must not be used, or `None`."""
    value = key.reveal()
    if value.lower() in _EXAMPLES:
        return "it is an example that everybody knows"
    if len(value) < SHORTEST:
        return f"it is shorter than {SHORTEST} characters"
    if len(set(value)) < 8:
        return "it repeats a few characters"
    if not all("\x21" <= character <= "\x7e" for character in value):
        return "it holds characters that cannot be sent in a header"
    if _native.check_key(value) is False:
        return "its checksum is wrong: a typing mistake?"
    return None


def expiry(text: str) -> int:
    """Unix seconds of an ISO 8601 date or time; without a zone it is UTC.

    Raises:
        ValueError: it is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("expected a date or time such as 2030-01-31 or 2030-01-31T12:00Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
