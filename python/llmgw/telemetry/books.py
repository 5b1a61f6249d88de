"""How the books are: written into the run folder for readiness and metrics, which workers answer."""

import time
from pathlib import Path

import msgspec

FILE = "books.json"
LATE_SECONDS = 10.0
STALE_SECONDS = 10.0
"""A file that is older was left by a bookkeeper that does not run."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What the bookkeeper says of itself; times are Unix seconds."""

    at: float
    ready: bool = False
    """Workers may start: keys and budgets are there, of the store or of the last known state."""
    can_serve: bool = True
    """Keys of the store are served, and they are not older than they may be."""
    store: str = ""
    """Where it is, without a password."""
    store_up: bool = False
    store_since: float = 0.0
    """Since when it is up, or not."""
    keys_as_of: float = 0.0
    """When the directory was that of the store."""
    sequence: int = 0
    """The last change of the store that workers were told of."""
    directory_bytes: int = 0
    misshapen: int = 0
    """Objects of the store that cannot be served."""
    booked: int = 0
    """Records booked by this process."""
    waiting: int = 0
    """Records that are not booked yet."""
    lag: float = 0.0
    """Seconds since everything was booked."""
    repeated: int = 0
    """Records that said what was booked already."""
    refused: int = 0
    """Records that could not be booked, and lie aside."""
    torn: int = 0
    corrupt: int = 0
    """Findings in the journal."""
    trouble: str | None = None
    """What keeps the store from being used."""

    def degraded(self, now: float) -> list[str]:
        """Which promises do not hold, and what holds instead: a sentence for each."""
        if now - self.at > STALE_SECONDS:
            return [f"books: the bookkeeper has said nothing since {shown(self.at)}; spend is journalled"]
        told = []
        if not self.store_up:
            told.append(
                f"store: unreachable since {shown(self.store_since)}, serving keys as of "
                f"{shown(self.keys_as_of)}, spend is journalled, {self.waiting} records wait"
            )
        elif self.lag > LATE_SECONDS:
            told.append(f"books: {self.lag:.0f} s behind, {self.waiting} records wait")
        if self.misshapen:
            told.append(f"directory: {self.misshapen} objects of the store cannot be served")
        if self.refused:
            told.append(f"books: {self.refused} records could not be booked, and lie aside in the journal")
        if self.corrupt:
            told.append(f"journal: damaged in {self.corrupt} places; run llmgw ledger verify")
        return told


def write(folder: Path, health: Health) -> None:
    """Replace what is known."""
    fresh = folder / f".{FILE}"
    fresh.write_bytes(msgspec.json.encode(health))
    fresh.replace(folder / FILE)


def read(folder: Path) -> Health | None:
    """What the bookkeeper said last; `None` before it said anything."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Health)
    except (OSError, msgspec.DecodeError):
        return None


def shown(seconds: float) -> str:
    """A time as people read it (UTC)."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def metrics(told: Health | None) -> str:
    """The books' metrics, in the Prometheus text format."""
    if told is None:
        return ""
    samples = (
        ("llmgw_store_up", "gauge", "Whether the store answers.", int(told.store_up)),
        ("llmgw_ledger_drain_lag_seconds", "gauge", "Seconds since all of the journal was booked.", told.lag),
        (
            "llmgw_ledger_waiting_records",
            "gauge",
            "Records of the journal that are not booked.",
            told.waiting,
        ),
        ("llmgw_ledger_booked_records_total", "counter", "Records that were booked.", told.booked),
        ("llmgw_ledger_refused_records", "gauge", "Records that could not be booked.", told.refused),
        ("llmgw_ledger_damages", "gauge", "Places at which the journal is damaged.", told.corrupt),
        ("llmgw_directory_sequence", "gauge", "The store's last change that workers know of.", told.sequence),
        ("llmgw_directory_as_of_seconds", "gauge", "When keys were those of the store.", told.keys_as_of),
        ("llmgw_directory_left_out", "gauge", "Objects that cannot be served.", told.misshapen),
    )
    return "".join(
        f"# HELP {name} {text}\n# TYPE {name} {kind}\n{name} {value}\n" for name, kind, text, value in samples
    )
