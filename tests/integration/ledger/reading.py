"""The journal of a gateway, read: what was written of each request, and how each attempt ended."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmgw._native import JournalReader
from tests.gateway_process import (
    JSON_TYPE,
    MASTER_KEY,
    GatewayProcess,
    chat_body,
    post_bytes,
    wait_until,
)
from tests.raw_http import Response

CHAT = "/v1/chat/completions"
Record = dict[str, Any]

# Nano-dollars of a token.
INPUT, OUTPUT = 2500, 10_000
PRICE = {"input_cost_per_token": 2.5e-6, "output_cost_per_token": 1e-5}


def folder(gateway: GatewayProcess) -> Path:
    """Where a gateway's journal lies."""
    return gateway.home / "state" / "journal"


def records(gateway: GatewayProcess) -> list[Record]:
    """All records, as far as they are on the disk; damage fails."""
    reader = JournalReader(folder(gateway))
    found = [json.loads(payload) for _, _, payload in reader]
    assert not [finding for finding in reader.findings if finding[0] == "corrupt"], reader.findings
    return found


@dataclass
class Ledger:
    """Records put together: reserves and their ends by id, calls, and what should not be."""

    reserves: dict[str, Record] = field(default_factory=dict)
    ends: dict[str, Record] = field(default_factory=dict)
    calls: list[Record] = field(default_factory=list)
    twice: list[Record] = field(default_factory=list)

    @classmethod
    def of(cls, gateway: GatewayProcess) -> "Ledger":
        """As far as it is on the disk."""
        ledger = cls()
        for record in records(gateway):
            ledger.add(record)
        return ledger

    def add(self, record: Record) -> None:
        """Put one record in its place."""
        if record["t"] == "call":
            self.calls.append(record)
            return
        known = self.reserves if record["t"] == "reserve" else self.ends
        if record["id"] in known:
            self.twice.append(record)
        known[record["id"]] = record

    def attempts(self, request: str) -> list[tuple[Record, Record | None]]:
        """The attempts of a request in their order, each with its end if it has one."""
        of_it = [each for each in self.reserves.values() if each["request"] == request]
        of_it.sort(key=lambda each: each["attempt"])
        return [(each, self.ends.get(each["id"])) for each in of_it]

    def open(self) -> list[Record]:
        """The reserves that have no end."""
        return [each for each in self.reserves.values() if each["id"] not in self.ends]


def ends(gateway: GatewayProcess, request: str, attempts: int = 1) -> list[Record]:
    """How the attempts of a request ended, once all of them have."""
    found: list[Record] = []

    def all_ended() -> bool:
        pairs = Ledger.of(gateway).attempts(request)
        found[:] = [end for _, end in pairs if end is not None]
        return len(pairs) >= attempts and len(found) == len(pairs)

    wait_until(all_ended, f"{attempts} attempts of {request} have ended", timeout=20)
    assert len(found) == attempts
    return found


def end(gateway: GatewayProcess, request: str) -> Record:
    """How the only attempt of a request ended."""
    return ends(gateway, request)[0]


def call(gateway: GatewayProcess, request: str) -> Record:
    """The record of a request that led to no attempt."""

    def told() -> list[Record]:
        return [each for each in Ledger.of(gateway).calls if each["request"] == request]

    wait_until(lambda: bool(told()), f"a record of {request}", timeout=20)
    assert not Ledger.of(gateway).attempts(request)
    return told()[0]


def says(record: Record, *names: str) -> tuple[Any, ...]:
    """These fields of a record."""
    return tuple(record.get(name) for name in names)


def headers(request: str) -> list[tuple[str, str]]:
    """Of a JSON request with this id."""
    return [JSON_TYPE, ("x-request-id", request)]


def chat_bytes(request: str, model: str, key: str = MASTER_KEY, **fields: Any) -> bytes:
    """A chat with a request id, as sent."""
    return post_bytes(CHAT, chat_body(model, **fields), key, headers(request))


def ask(
    gateway: GatewayProcess, request: str, model: str = "priced", key: str = MASTER_KEY, **fields: Any
) -> Response:
    """One chat with a request id."""
    return gateway.post(CHAT, chat_body(model, **fields), key, headers(request))
