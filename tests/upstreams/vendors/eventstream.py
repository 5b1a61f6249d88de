"""The binary frames of `application/vnd.amazon.eventstream`, in which AWS streams its replies."""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

STRING = 7  # the type of a header's value; the others are not used by Bedrock
PRELUDE = struct.Struct(">II")
CHECKSUM = struct.Struct(">I")


def encode_frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame: its two lengths with a checksum, string headers, payload, and a checksum over all."""
    packed = b"".join(_encode_header(name, value) for name, value in headers.items())
    total = PRELUDE.size + CHECKSUM.size + len(packed) + len(payload) + CHECKSUM.size
    prelude = PRELUDE.pack(total, len(packed))
    frame = prelude + CHECKSUM.pack(zlib.crc32(prelude)) + packed + payload
    return frame + CHECKSUM.pack(zlib.crc32(frame))


def _encode_header(name: str, value: str) -> bytes:
    key, data = name.encode(), value.encode()
    return struct.pack(">B", len(key)) + key + struct.pack(">BH", STRING, len(data)) + data


def encode_event(name: str, payload: Mapping[str, Any]) -> bytes:
    """An event of a modelled type; the names of exceptions end in `Exception`, as in the service's model."""
    kind = "exception" if name.endswith("Exception") else "event"
    headers = {
        f":{kind}-type": name,
        ":content-type": "application/json",
        ":message-type": kind,
    }
    return encode_frame(headers, json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode())


def split_frames(data: bytes) -> list[bytes]:
    """Cut a recorded stream into its frames."""
    frames, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        frames.append(data[at : at + length])
        at += length
    return frames
