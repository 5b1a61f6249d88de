"""What the supervisor tells the bookkeeper: no secret, as other users see a process's arguments."""

from pathlib import Path
from typing import Any

import msgspec

from llmgw.access.jwks import Source

URL_VARIABLE = "LLMGW_DATABASE_URL"
"""Where the store is; it may hold a password."""


class BooksOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What one bookkeeper works with."""

    run_folder: Path
    """Shared memory, the directory's files, and what is known of the books' health."""
    state_folder: Path
    """The last known state is kept below it."""
    journal_folder: Path | None
    """Without one, nothing is booked."""
    config: Path | None = None
    """The settings file, for commands that do jobs."""
    keep: int = 7
    """Days that booked segments of the journal are kept."""
    max_staleness: float = 86400.0
    """Seconds that the last known state may be served; 0: for ever."""
    start_timeout: float = 5.0
    """Seconds until the last known state is served at the start."""
    drain_timeout: float = 30.0
    """Seconds that workers have at shutdown."""
    log_level: str = "info"
    budgets: list[dict[str, Any]] = []
    """Of keys of the settings file: `{"owner", "rule"}`."""
    issuers: list[Source] = []
    """Issuers of tokens, whose keys are fetched."""
    ca_file: str | None = None
    """More trust anchors for asking them."""

    def to_json(self) -> str:
        """As an argument of a process."""
        return msgspec.json.encode(self, enc_hook=str).decode()

    @classmethod
    def from_json(cls, text: str) -> "BooksOptions":
        """What `to_json` wrote."""
        return msgspec.json.decode(text, type=cls, dec_hook=lambda kind, value: kind(value))
