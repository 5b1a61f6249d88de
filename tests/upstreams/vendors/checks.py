"""Small checks of JSON values, put together into the shape of a vendor's request."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
Check: TypeAlias = Callable[[Any, Path], None]


class Refused(Exception):
    """A request that the vendor would answer with 400: where, and what is wrong there."""

    def __init__(self, path: Path, message: str, kind: str = "invalid") -> None:
        super().__init__(f"{dotted(path)}: {message}")
        self.path = path
        self.message = message
        self.kind = kind


def dotted(path: Path) -> str:
    """A path as `messages.0.role`."""
    return ".".join(str(each) for each in path)


def bracketed(path: Path) -> str:
    """A path as `messages[0].role`."""
    text = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
    return text.removeprefix(".")


def require(holds: object, path: Path, message: str) -> None:
    """Refuse the request unless the condition holds."""
    if not holds:
        raise Refused(path, message)


def anything(_value: Any, _path: Path) -> None:
    """Any JSON value."""


def boolean(value: Any, path: Path) -> None:
    """`true` or `false`."""
    require(isinstance(value, bool), path, "Input should be a valid boolean")


def mapping(value: Any, path: Path) -> None:
    """An object of any fields."""
    require(isinstance(value, dict), path, "Input should be an object")


JSON_TYPES = {"object", "array", "string", "number", "integer", "boolean", "null"}


def json_schema(value: Any, path: Path) -> None:
    """A JSON Schema, as far as its types go."""
    mapping(value, path)
    types = value.get("type", [])
    known = set(types if isinstance(types, list) else [types]) <= JSON_TYPES
    require(known, (*path, "type"), f"{types!r} is not valid under any of the given schemas")
    for name, each in value.get("properties", {}).items():
        if isinstance(each, dict):
            json_schema(each, (*path, "properties", name))
    if isinstance(value.get("items"), dict):
        json_schema(value["items"], (*path, "items"))


def string(pattern: str | None = None, least: int = 0, most: int | None = None) -> Check:
    """A string, perhaps of a pattern (matched whole) and a length."""

    def check(value: Any, path: Path) -> None:
        require(isinstance(value, str), path, "Input should be a valid string")
        require(len(value) >= least, path, f"String should have at least {least} characters")
        require(most is None or len(value) <= most, path, f"String should have at most {most} characters")
        matches = pattern is None or re.fullmatch(pattern, value)
        require(matches, path, f"String should match pattern '{pattern}'")

    return check


def number(least: float | None = None, most: float | None = None, *, whole: bool = False) -> Check:
    """A number within limits, both of them allowed."""

    def check(value: Any, path: Path) -> None:
        kinds = (int,) if whole else (int, float)
        numeric = isinstance(value, kinds) and not isinstance(value, bool)
        require(numeric, path, f"Input should be a valid {'integer' if whole else 'number'}")
        require(least is None or value >= least, path, f"Input should be greater than or equal to {least}")
        require(most is None or value <= most, path, f"Input should be less than or equal to {most}")

    return check


def integer(least: int | None = None, most: int | None = None) -> Check:
    """A whole number within limits."""
    return number(least, most, whole=True)


def one_of(*allowed: Any) -> Check:
    """One of these values."""

    def check(value: Any, path: Path) -> None:
        same = any(value == each and type(value) is type(each) for each in allowed)
        require(same, path, f"Input should be {', '.join(map(repr, allowed))}")

    return check


def nullable(inner: Check) -> Check:
    """`null`, or what `inner` takes."""

    def check(value: Any, path: Path) -> None:
        if value is not None:
            inner(value, path)

    return check


def items(inner: Check, least: int = 0, most: int | None = None) -> Check:
    """An array whose items `inner` takes."""

    def check(value: Any, path: Path) -> None:
        require(isinstance(value, list), path, "Input should be a valid array")
        require(len(value) >= least, path, f"Array should have at least {least} items")
        require(most is None or len(value) <= most, path, f"Array should have at most {most} items")
        for at, each in enumerate(value):
            inner(each, (*path, at))

    return check


def values(inner: Check) -> Check:
    """An object of any keys whose values `inner` takes."""

    def check(value: Any, path: Path) -> None:
        mapping(value, path)
        for key, each in value.items():
            inner(each, (*path, key))

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields and no others."""
    known = {**required, **(optional or {})}

    def check(value: Any, path: Path) -> None:
        mapping(value, path)
        for name in value:
            if name not in known:
                raise Refused((*path, name), "Extra inputs are not permitted", "unknown")
        for name in required:
            if name not in value:
                raise Refused((*path, name), "Field required", "missing")
        for name, each in value.items():
            known[name](each, (*path, name))

    return check


def tagged(tag: str, shapes: Mapping[str, Check], default: str | None = None) -> Check:
    """An object whose field `tag` names its shape."""

    def check(value: Any, path: Path) -> None:
        mapping(value, path)
        name = value.get(tag, default)
        if name is None:
            raise Refused((*path, tag), "Field required", "missing")
        require(name in shapes, (*path, tag), f"Input should be {', '.join(map(repr, shapes))}")
        shapes[name](value, path)

    return check


def by_type(kinds: Mapping[type, Check]) -> Check:
    """A value whose JSON type names its shape."""

    def check(value: Any, path: Path) -> None:
        found = kinds.get(type(value))
        if found is None:
            raise Refused(path, "Input has the wrong type")
        found(value, path)

    return check


def text_or(inner: Check, text: Check | None = None) -> Check:
    """A string, or an array of `inner`."""
    return by_type({str: text or string(), list: items(inner, least=1)})


def base64_data(value: Any, path: Path) -> None:
    """Some bytes in base64."""
    try:
        require(base64.b64decode(value, validate=True), path, "The data is empty")
    except (binascii.Error, TypeError, ValueError) as error:
        raise Refused(path, "Invalid base64 data") from error


def data_url(value: Any, path: Path, kinds: Iterable[str] = ()) -> None:
    """A `data:` URL in base64, of one of these media types if any are given."""
    found = (
        re.fullmatch(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", value, re.DOTALL)
        if isinstance(value, str)
        else None
    )
    if found is None:
        raise Refused(path, "Expected a base64 data URL with a media type")
    allowed = list(kinds)
    require(not allowed or found[1] in allowed, path, f"Unsupported media type {found[1]}")
    base64_data(found[2], path)


def web_or_data_url(value: Any, path: Path) -> None:
    """An `https:` address or a `data:` URL."""
    if isinstance(value, str) and value.startswith(("http://", "https://")):
        return
    data_url(value, path)
