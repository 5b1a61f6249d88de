"""The native core, as Python sees it."""

from collections.abc import Callable, Sequence
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

@final
class MockUpstream:
    """A mock OpenAI-compatible upstream on 127.0.0.1, on a thread of its own.

    It serves chat completions, completions, responses, embeddings, moderations and models under
    `/v1`. The model's query part or the `x-mock-script` header says how, for example
    `echo?delay_ms=200&interval_ms=10&chunks=64&chunk_bytes=40`; the keys are `delay_ms` (before the
    head), `interval_ms` (before each piece of a stream's text; without it a stream is one write),
    `chunks`, `chunk_bytes`, `reply_bytes`, `tokens` (completion tokens reported), `status` (400 to
    599, an error), `retry_after` (seconds, with an error), `fail_every` (only each n-th request
    fails) and `truncate_after` (events, then the connection closes). The model `echo` answers with
    the user's last words.

    `port` 0 lets the system choose one. Raises OSError when the port is taken.
    """

    def __new__(cls, port: int = 0) -> MockUpstream: ...
    @property
    def port(self) -> int: ...
    @property
    def connections(self) -> int:
        """Connections accepted so far."""
    @property
    def requests(self) -> int:
        """Requests read to their end so far."""
    @property
    def abandoned(self) -> int:
        """Requests whose client left before the reply was complete."""
    def stop(self) -> None:
        """Close the listener and every connection; a second call does nothing."""

LOAD_STAMP_DIGITS: int
"""The width of the number that `run_load` writes at `stamp`."""

@final
class LoadTimes:
    """Times noted during a load run, in seconds; percentiles are right to one part in 128.

    Everything but `count` is None when nothing was noted.
    """

    @property
    def count(self) -> int: ...
    @property
    def mean(self) -> float | None: ...
    @property
    def min(self) -> float | None: ...
    @property
    def max(self) -> float | None: ...
    def percentile(self, percent: float) -> float | None:
        """The time that `percent` (0 to 100) of the noted ones do not exceed."""

@final
class LoadReport:
    """What a load run saw in its measured time."""

    @property
    def seconds(self) -> float:
        """The length of the measured time."""
    @property
    def requests(self) -> int:
        """Replies read to their end."""
    @property
    def statuses(self) -> dict[int, int]:
        """The same by status."""
    @property
    def errors(self) -> dict[str, int]:
        """Requests without a whole reply: connect, closed, malformed, timeout, broken."""
    @property
    def bytes(self) -> int:
        """Bytes received, heads included."""
    @property
    def events(self) -> int:
        """Server-sent events received."""
    @property
    def latency(self) -> LoadTimes:
        """From when a request was due (open loop) or sent (closed) to the end of its reply."""
    @property
    def first_byte(self) -> LoadTimes:
        """From the same moment to the first byte of the reply's body."""
    @property
    def gap(self) -> LoadTimes:
        """Between two reads of the same event stream."""
    @property
    def metered(self) -> float:
        """How much `meter` grew."""

def run_load(
    host: str,
    port: int,
    request: bytes,
    *,
    connections: int = 1,
    seconds: float | None = None,
    requests: int | None = None,
    warm_up: float = 0.0,
    rate: float | None = None,
    stamp: int | None = None,
    timeout: float = 30.0,
    meter: Callable[[], float] | None = None,
) -> LoadReport:
    """Send a whole HTTP/1.1 `request` again and again over keep-alive connections, on this thread.

    Either for `seconds` (after `warm_up` seconds under load that are not noted) or `requests`
    times. Without `rate` each connection sends when its last reply is complete; with it, requests
    arrive `rate` times a second and latency counts from when they were due. At offset `stamp` a
    running number is written, so that no two requests are alike. `meter` is read as the measured
    time begins and ends. The interpreter lock is released throughout.

    Raises ValueError for an impossible plan, OSError when the server cannot be reached, and
    whatever `meter` raises.
    """
