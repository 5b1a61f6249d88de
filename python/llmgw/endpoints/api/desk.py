"""What the handlers of the admin API work with, made once a worker."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from llmgw import _native
from llmgw._native import JournalFull
from llmgw.settings.secrets import Secret
from llmgw.store.database import Store
from llmgw.store.keyring import Keyring
from llmgw.telemetry.logs import log


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Store, secrets, and where events are told."""

    store: Store
    pepper: Secret
    """Hex key of the digests of virtual keys."""
    keyring: Keyring
    """What secrets are sealed under."""
    note_event: Callable[[bytes], object] | None = None
    """Appends to the journal; `None`: this process has none."""

    def digest(self, key: str) -> str:
        """What is kept of a key."""
        return _native.key_digest(self.pepper.reveal(), key)

    def journal(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Tell the journal of events that are committed.

        What it cannot take is in the database all the same, and is not undone for its sake.
        """
        if self.note_event is None:
            return
        for event in events:
            try:
                self.note_event(msgspec.json.encode(record_of(event)))
            except (JournalFull, ValueError, RuntimeError) as error:
                log.error("an event is missing in the journal", id=event["id"], reason=str(error))


def record_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event of the store as the journal has it."""
    record = {
        "t": "event",
        "id": event["id"],
        "at": event["at"],
        "actor": _named(kind=event["actor_kind"], id=event["actor_id"], name=event["actor_name"]),
        "action": event["action"],
        "object": {"kind": event["object_kind"], "id": event["object_id"]},
        "organisation": event["organisation_id"],
        "before": event["before"],
        "after": event["after"],
        "ip": event["ip"],
        "request": event["request_id"],
    }
    return {name: value for name, value in record.items() if value is not None}


def _named(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
