"""The native core, as Python sees it."""

from collections.abc import Sequence
from os import PathLike
from typing import final

__version__: str
DEBUG_BUILD: bool

# ── tokens ──────────────────────────────────────────────────────────────────────────────────────

# ── scan ────────────────────────────────────────────────────────────────────────────────────────

# ── cache ───────────────────────────────────────────────────────────────────────────────────────

@final
class Cache:
    """Bytes under 32-byte keys, bounded in bytes, least recently used out first. Thread-safe."""

    def __new__(cls, max_bytes: int, ttl: float) -> Cache:
        """An empty cache; an entry lives for `ttl` seconds.

        `max_bytes` bounds values, keys and the tables' own share together.
        """

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, unless it has expired. ValueError if `key` is not 32 bytes."""

    def put(self, key: bytes, value: bytes) -> bool:
        """Keeps `value`; False when it alone is larger than the cache."""

    def clear(self) -> None:
        """Forgets everything and gives the memory back."""

    @property
    def held_bytes(self) -> int:
        """Bytes held."""

    def __len__(self) -> int:
        """Entries held, expired ones included."""

def request_key(scope: Sequence[bytes], body: bytes) -> bytes | None:
    """The 32-byte cache key of a JSON request within `scope`.

    Insignificant whitespace and the order of top-level members do not matter. None when the body
    is not a JSON object, or names a top-level member twice or with an escape.
    """

# ── limiter ─────────────────────────────────────────────────────────────────────────────────────

@final
class Limiter:
    """Token buckets, exact across all processes that open the same file."""

    def __new__(cls, path: str | PathLike[str] | None = None) -> Limiter:
        """Over the shared memory file at `path`, or over memory of this process alone.

        OSError when the file cannot be used: another's, open to others, or of another version.
        """

    def acquire(
        self, scope: str, cost: int, amount: int, window_seconds: float, burst: int | None = None
    ) -> tuple[bool, int, float]:
        """Takes `cost` units, all or nothing: (allowed, units left, seconds to wait).

        `amount` units flow in per window; a full bucket holds `burst` (`amount` unless given).
        """

    def settle(
        self, scope: str, delta: int, amount: int, window_seconds: float, burst: int | None = None
    ) -> None:
        """Charges `delta` units more than was taken, or gives back when it is negative."""

# ── metrics ─────────────────────────────────────────────────────────────────────────────────────

@final
class Metrics:
    """The Prometheus metrics of the machine."""

    def __new__(cls, path: str | PathLike[str] | None = None) -> Metrics:
        """Of the shared memory file at `path` (as `Limiter`), or of this process alone."""

    def render(self) -> str:
        """All metrics, in the text exposition format (version 0.0.4)."""

    def worker(self, index: int) -> WorkerMetrics:
        """Enrols this process as worker `index`, with nothing in hand."""

@final
class WorkerMetrics:
    """One worker's door to the metrics of the machine."""

    def enter(self) -> None:
        """A request came in."""

    def leave(self) -> None:
        """A request went out."""

    def record(self, endpoint: str, model: str, key: str, status: int, total_ns: int) -> None:
        """Notes a finished request that asked no provider."""

# ── gateway ─────────────────────────────────────────────────────────────────────────────────────

# ── bench ───────────────────────────────────────────────────────────────────────────────────────
