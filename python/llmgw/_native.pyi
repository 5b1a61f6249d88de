"""The native core, as Python sees it."""

from collections.abc import Sequence
from typing import final

__version__: str
DEBUG_BUILD: bool

# ── tokens ──────────────────────────────────────────────────────────────────────────────────────

# ── scan ────────────────────────────────────────────────────────────────────────────────────────

@final
class PatternSet:
    """Many patterns, found in one pass over bytes.

    The syntax is that of Rust's `regex` crate over bytes, without look-around and back-references:
    `\\d`, `\\w`, `\\s` and `\\b` are ASCII, `$` is the very end, `(?u:[äö])` spells UTF-8, and `(?i)`,
    `(?s)`, `(?m)` set flags. Immutable; may be used by any number of threads.
    """

    def __new__(cls, patterns: Sequence[tuple[int, str]], engine: str = "auto") -> PatternSet:
        """Compile `(id, expression)` pairs: slow, so at start-up only.

        `engine` is `"hyperscan"`, `"rust"`, or `"auto"`: Hyperscan where it is there and takes every
        pattern, else Rust. Raises `ValueError` naming the pattern that was refused: malformed, too
        large, matching the empty text, or (Hyperscan only) not supported.
        """

    @property
    def engine(self) -> str:
        """The engine in use: `"hyperscan"` or `"rust"`."""

    def scan(self, data: bytes) -> list[tuple[int, int, int]]:
        """All `(id, start, end)` in `data`, sorted by start, end and id.

        A span is a maximal run of bytes covered by overlapping matches of one pattern. Raises
        `OverflowError` (nothing is returned) if there are more than 4096 ends of matches.
        """

    def stream(self) -> PatternStream:
        """Begin a text that arrives in pieces; the first call compiles the set for streaming."""

@final
class PatternStream:
    """A text that arrives in pieces. Offsets count from its beginning."""

    def feed(self, data: bytes) -> list[tuple[int, int]]:
        """Scan the next piece: every `(id, end)` at which a match is known to end, sorted by end.

        An end that depends on the next byte (`\\b`, `\\z`) is reported by the next call. Raises
        `OverflowError` after 4096 ends in one piece, and `RuntimeError` on a closed or failed stream.
        """

    def close(self) -> list[tuple[int, int]]:
        """End the text: the `(id, end)` that only this decides. A stream must always be closed."""

@final
class PiiScanner:
    """Personal data and secrets, found by trigger, verified by checksum, form and context."""

    def __new__(cls, engine: str = "auto") -> PiiScanner:
        """Compile the built-in catalogue; takes about a tenth of a second."""

    @property
    def engine(self) -> str:
        """The engine in use: `"hyperscan"` or `"rust"`."""

    def scan(self, text: bytes) -> list[tuple[str, int, int, float]]:
        """All `(kind, start, end, score)` in `text`: disjoint, sorted, scores from 0.6 to 1.

        Raises `OverflowError` on a text that triggers all over; treat it as a finding.
        """

# ── cache ───────────────────────────────────────────────────────────────────────────────────────

# ── limiter ─────────────────────────────────────────────────────────────────────────────────────

# ── metrics ─────────────────────────────────────────────────────────────────────────────────────

# ── gateway ─────────────────────────────────────────────────────────────────────────────────────

# ── bench ───────────────────────────────────────────────────────────────────────────────────────
