"""The native core, as Python sees it."""

from typing import final

__version__: str
DEBUG_BUILD: bool

# ── tokens ──────────────────────────────────────────────────────────────────────────────────────

# ── scan ────────────────────────────────────────────────────────────────────────────────────────

# ── cache ───────────────────────────────────────────────────────────────────────────────────────

# ── limiter ─────────────────────────────────────────────────────────────────────────────────────

# ── metrics ─────────────────────────────────────────────────────────────────────────────────────

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
