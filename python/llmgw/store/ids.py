"""Names of objects: a prefix that tells the kind, then a ULID, which sorts by the time it was made."""

import secrets
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32
_RANDOM_BITS = 80
_LENGTH = 26

_lock = threading.Lock()
_last = 0


def new(prefix: str) -> str:
    """A fresh id such as `key_01jdf3…`; `prefix` is without its underscore.

    Those of one process ascend, also within a millisecond.
    """
    return f"{prefix}_{_encoded(_next())}"


def now() -> int:
    """Unix microseconds, UTC: the unit of every time in the store."""
    return time.time_ns() // 1000


def _next() -> int:
    """Milliseconds and 80 random bits; the last one plus one where the clock has not moved on."""
    global _last  # noqa: PLW0603 - the order of ids belongs to the process
    fresh = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    with _lock:
        _last = max(fresh, _last + 1)
        return _last


def _encoded(number: int) -> str:
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))
