"""The recorded replies, streams and errors under `tests/fixtures`, by format and name."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.upstreams.vendors.eventstream import encode_event, split_frames

ROOT = Path(__file__).parents[2] / "fixtures"
TOOL = "TOOL"
SIGNATURE = "EqQBCkYIBxgCKkBzaWduYXR1cmUtb2YtdGhlLXRoaW5raW5nLWFib3Zl"
SEALED = "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP"


@dataclass(frozen=True)
class RecordedError:
    """An error before the first byte of a reply."""

    status: int
    headers: dict[str, str]
    body: bytes


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def scenarios() -> dict[str, dict[str, Any]]:
    """`scenarios.json`: what the recorded replies mean."""
    found: dict[str, dict[str, Any]] = _load(ROOT / "scenarios.json")
    return found


def meaning(name: str) -> dict[str, Any]:
    """What the reply of this name says; for a variant, what the reply says that it is like."""
    known = scenarios()
    like = known["variants"].get(name, {}).get("like", name)
    found: dict[str, Any] = known["replies"][like]
    return found


def conversations() -> dict[str, dict[str, Any]]:
    """Every conversation by name."""
    return {path.stem: _load(path) for path in sorted((ROOT / "conversations").glob("*.json"))}


def reply_body(wire: str, name: str, tool: str | None = None) -> bytes:
    """The body of a whole reply; a variant without one of its own has the body of what it is like.

    `tool` is the name of the tool that the reply calls in place of the recorded `TOOL`.
    """
    path = ROOT / "replies" / wire / f"{name}.json"
    if not path.exists():
        path = path.with_stem(scenarios()["variants"][name]["like"])
    return _renamed(path.read_bytes(), tool)


def _renamed(data: bytes, tool: str | None) -> bytes:
    return data if tool is None else data.replace(b'"%s"' % TOOL.encode(), json.dumps(tool).encode())


def stream_events(wire: str, name: str, tool: str | None = None) -> list[bytes]:
    """A recorded stream, cut into its events or frames; `tool` as for `reply_body`."""
    folder = ROOT / "streams" / wire
    binary = folder / f"{name}.bin"
    if binary.exists() and tool is None:
        return split_frames(binary.read_bytes())
    if binary.exists():
        listing = json.loads(_renamed(binary.with_suffix(".json").read_bytes(), tool))
        return [encode_event(*each) for event in listing for each in event.items()]
    data = _renamed((folder / f"{name}.sse").read_bytes(), tool)
    blank = b"\r\n\r\n" if b"\r\n\r\n" in data else b"\n\n"
    return [event + blank for event in data.split(blank)[:-1]]


def recorded_error(wire: str, name: str) -> RecordedError:
    """The error of this status, perhaps with a suffix as in `429_quota`."""
    found = _load(ROOT / "errors" / wire / f"{name}.json")
    body = found["body"]
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return RecordedError(found["status"], found["headers"], data)
