"""Bodies and queries, strictly: one JSON object that reads the same to everybody, and no field too many."""

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from llmgw._native import check_json
from llmgw.endpoints.problems import Fault, Kind, Problem

_JSON = "application/json"
_MERGE = "application/merge-patch+json"
_AT = re.compile(r" - at `(?P<path>.*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(?P<name>.*?)`", re.DOTALL)
_MISSING = re.compile(r"missing required field `(?P<name>.*?)`", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>[^\]]*)\]")


def read_body(body: bytes, content_type: str, kind: Any) -> Any:
    """The body as a value of this type.

    Raises:
        Problem: it is no JSON, is ambiguous, or is not what is taken here.
    """
    media = content_type.partition(";")[0].strip().lower()
    if media not in (_JSON, _MERGE):
        raise Problem(Kind.UNSUPPORTED_MEDIA_TYPE, f"The body must be {_JSON}.")
    try:
        check_json(body)
    except ValueError as error:
        raise Problem(Kind.INVALID_REQUEST, str(error)) from None
    if b"\\u0000" in body:
        raise Problem(Kind.INVALID_BODY, "The body holds a NUL character.")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        fault = fault_of(str(error))
        raise Problem(Kind.INVALID_BODY, "The body is not what is taken here.", [fault]) from None
    except (msgspec.DecodeError, ArithmeticError):
        raise Problem(Kind.INVALID_BODY, "The body holds a value that cannot be read.") from None


def read_query(query: str, kind: Any) -> Any:
    """The query as a struct.

    Raises:
        Problem: a field is unknown, stands twice, or is not what is taken.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise Problem(Kind.INVALID_REQUEST, "The query cannot be read.") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Problem(Kind.INVALID_REQUEST, "A field stands twice in the query.")
    if any("\x00" in part for pair in pairs for part in pair):
        raise Problem(Kind.INVALID_REQUEST, "The query holds a NUL character.")
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(Kind.INVALID_REQUEST, f"query: {error}") from None


def fault_of(message: str) -> Fault:
    """What msgspec says is wrong, with its path as a JSON pointer."""
    at = _AT.search(message)
    text = message[: at.start()] if at else message
    steps = _STEP.findall(at["path"][1:]) if at else []
    pointer = "".join(f"/{_escaped(name or index)}" for name, index in steps)
    named = _UNKNOWN.search(text) or _MISSING.search(text)
    if named:
        pointer += f"/{_escaped(named['name'])}"
    return Fault(pointer[:500], text[:500])


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
