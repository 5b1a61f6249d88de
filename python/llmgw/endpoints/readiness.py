"""Whether a worker serves, and which promises hold: by its own ledger and by what the bookkeeper says."""

import time
from pathlib import Path
from typing import Any

import msgspec

from llmgw._native import Gateway, JournalHealth
from llmgw.telemetry import books


class Readiness(msgspec.Struct, frozen=True):
    """What readiness answers."""

    code: int
    status: str
    """`healthy`, `degraded`, `starting` or `unavailable`."""
    details: dict[str, Any]
    """The same with what is known of its reasons: for whoever runs the gateway."""


def readiness(gateway: Gateway, run_folder: Path) -> Readiness:
    """Degraded is still ready: what does not hold is made up for. Only what cannot serve is not."""
    if gateway.version is None:
        return _told(503, "starting", ["the settings are not in force yet"], {})
    told, ledger = books.read(run_folder), gateway.ledger_health()
    facts: dict[str, Any] = {}
    if ledger is not None:
        facts["ledger"] = _ledger(ledger)
    if told is not None:
        facts["books"] = msgspec.to_builtins(told)
    reasons = [] if told is None else told.degraded(time.time())
    if ledger is not None and ledger.trouble is not None:
        since = books.shown(ledger.trouble[1])
        reasons.append(f"ledger: the disk refuses since {since}: {ledger.trouble[0]}")
        if not ledger.is_open:
            return _told(503, "unavailable", reasons, facts)
    if told is not None and told.ready and not told.can_serve:
        reasons.append("directory: the last known keys are older than store.max_staleness")
        return _told(503, "unavailable", reasons, facts)
    return _told(200, "degraded" if reasons else "healthy", reasons, facts)


def _told(code: int, status: str, reasons: list[str], facts: dict[str, Any]) -> Readiness:
    return Readiness(code, status, {"status": status, "degraded": reasons, **facts})


def _ledger(ledger: JournalHealth) -> dict[str, object]:
    """The part of the ledger that the worker writes that answers."""
    if ledger.trouble is None:
        return {"status": "ok" if ledger.is_open else "closed", "waiting_bytes": ledger.waiting_bytes}
    reason, since, _ = ledger.trouble
    return {"status": "stuck", "waiting_bytes": ledger.waiting_bytes, "reason": reason, "since": int(since)}
