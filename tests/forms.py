"""Multipart forms, byte by byte, and what a form's bytes parse to."""

from collections.abc import Sequence
from email import policy
from email.parser import BytesParser

BOUNDARY = "form-boundary-0123456789"
Part = tuple[str, bytes, str | None]
"""Field name, content, and the file name if it is a file."""


def field(name: str, value: str) -> Part:
    """A plain field."""
    return (name, value.encode(), None)


def file(content: bytes, name: str = "file", filename: str = "sound.wav") -> Part:
    """A file."""
    return (name, content, filename)


def part_head(name: str, filename: str | None) -> bytes:
    """A part's boundary and headers, up to its content."""
    lines = [f"--{BOUNDARY}", f'Content-Disposition: form-data; name="{name}"']
    if filename is not None:
        lines[1] += f'; filename="{filename}"'
        lines.append("Content-Type: application/octet-stream")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def form(parts: Sequence[Part]) -> bytes:
    """A form's body."""
    body = b"".join(part_head(name, filename) + content + b"\r\n" for name, content, filename in parts)
    return body + f"--{BOUNDARY}--\r\n".encode()


def form_type(boundary: str = BOUNDARY) -> tuple[str, str]:
    """The header of a form."""
    return ("Content-Type", f"multipart/form-data; boundary={boundary}")


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """A form's parts, as a parser of another make reads them."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    parts: list[Part] = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(name, str) and isinstance(content, bytes)
        parts.append((name, content, part.get_filename()))
    return parts
