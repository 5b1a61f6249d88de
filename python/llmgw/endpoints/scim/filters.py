"""Filters (RFC 7644 §3.4.2.2): read into a tree that becomes a condition of SQL or judges a value."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from llmgw.endpoints.scim.errors import bad_filter

LONGEST = 4096
DEEPEST = 16

_TOKEN = re.compile(
    r"""\s*(?:(?P<mark>[()\[\]])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z0-9_$:.\-]+))""", re.DOTALL
)
_COMPARISONS = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le")


class Comparison(msgspec.Struct, frozen=True):
    """An attribute and what it is compared with; `pr` has no value."""

    path: str
    """In lower case."""
    operator: str
    value: str | bool | int | float | None


class Junction(msgspec.Struct, frozen=True):
    """Several at once (`and`), or one of several (`or`)."""

    operator: str
    parts: tuple["Filter", ...]


class Negation(msgspec.Struct, frozen=True):
    """What must not be."""

    part: "Filter"


Filter = Comparison | Junction | Negation


def read(text: str) -> Filter:
    """Read a filter.

    Raises:
        ScimError: it is none, or too long or too deep.
    """
    if len(text) > LONGEST:
        raise bad_filter("The filter is too long.")
    reader = _Reader(_tokens(text))
    found = reader.either(0)
    if reader.rest:
        raise bad_filter(f"The filter goes on behind its end: {reader.rest[0][:50]}")
    return found


def condition(filter: Filter, column: Callable[[str], Any]) -> sa.ColumnElement[bool]:
    """The condition of SQL; `column` gives the column of an attribute, and raises if there is none."""
    match filter:
        case Junction("and", parts):
            return sa.and_(*(condition(part, column) for part in parts))
        case Junction(_, parts):
            return sa.or_(*(condition(part, column) for part in parts))
        case Negation(part):
            return sa.not_(condition(part, column))
    return _compared(filter, column(filter.path))


def judges(filter: Filter, value: Mapping[str, Any]) -> bool:
    """Whether one of several values of an attribute is meant: `emails[type eq "work"]`."""
    match filter:
        case Junction("and", parts):
            return all(judges(part, value) for part in parts)
        case Junction(_, parts):
            return any(judges(part, value) for part in parts)
        case Negation(part):
            return not judges(part, value)
    found = next((held for name, held in value.items() if name.lower() == filter.path), None)
    if filter.operator == "pr":
        return found not in (None, "", [])
    if filter.operator not in ("eq", "ne"):
        raise bad_filter("Only eq, ne and pr may stand between brackets.")
    equal = _folded(found) == _folded(filter.value)
    return equal if filter.operator == "eq" else not equal


def _folded(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _compared(one: Comparison, column: Any) -> sa.ColumnElement[bool]:
    """Texts are compared in any case of letters, as SCIM's attributes are unless they say otherwise."""
    present: sa.ColumnElement[bool] = column.is_not(None)
    absent: sa.ColumnElement[bool] = column.is_(None)
    if one.operator == "pr":
        return present
    if one.value is None:
        return present if one.operator == "ne" else absent
    if isinstance(column.type, sa.Boolean):
        return _is(one, column)
    if not isinstance(one.value, str) or one.operator not in _TEXTS:
        raise bad_filter(f"{one.path} is a text, without an order.")
    found = _TEXTS[one.operator](sa.func.lower(column), one.value.lower())
    # Of what is not there SQL would say neither yes nor no, and `not` would say the same.
    return found if one.operator == "ne" else sa.and_(present, found)


def _is(one: Comparison, column: Any) -> sa.ColumnElement[bool]:
    if not isinstance(one.value, bool) or one.operator not in ("eq", "ne"):
        raise bad_filter(f"{one.path} is true or false.")
    found: sa.ColumnElement[bool] = column.is_(one.value == (one.operator == "eq"))
    return found


_TEXTS: Mapping[str, Callable[[Any, str], sa.ColumnElement[bool]]] = {
    "eq": lambda column, sought: column == sought,
    "ne": lambda column, sought: sa.or_(column != sought, column.is_(None)),
    "co": lambda column, sought: column.contains(sought, autoescape=True),
    "sw": lambda column, sought: column.startswith(sought, autoescape=True),
    "ew": lambda column, sought: column.endswith(sought, autoescape=True),
}


class _Reader:
    """Reads by descent: `or` binds least, `not` most."""

    def __init__(self, tokens: list[str]) -> None:
        self.rest = tokens

    def either(self, depth: int) -> Filter:
        if depth > DEEPEST:
            raise bad_filter("The filter nests too deeply.")
        parts = [self._both(depth)]
        while self._take("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Junction("or", tuple(parts))

    def _both(self, depth: int) -> Filter:
        parts = [self._single(depth)]
        while self._take("and"):
            parts.append(self._single(depth))
        return parts[0] if len(parts) == 1 else Junction("and", tuple(parts))

    def _single(self, depth: int) -> Filter:
        if self._take("not"):
            self._demand("(")
            return Negation(self._closed(")", depth))
        if self._take("("):
            return self._closed(")", depth)
        path = self._word("an attribute").lower()
        if self._take("["):
            return _below(path, self._closed("]", depth))
        operator = self._word("an operator").lower()
        if operator == "pr":
            return Comparison(path, operator, None)
        if operator not in _COMPARISONS:
            raise bad_filter(f"There is no operator {operator[:20]}.")
        return Comparison(path, operator, _value(self._word("a value")))

    def _closed(self, mark: str, depth: int) -> Filter:
        found = self.either(depth + 1)
        self._demand(mark)
        return found

    def _take(self, token: str) -> bool:
        if self.rest and self.rest[0].lower() == token:
            self.rest = self.rest[1:]
            return True
        return False

    def _demand(self, token: str) -> None:
        if not self._take(token):
            raise bad_filter(f"The filter lacks a {token}.")

    def _word(self, what: str) -> str:
        if not self.rest or self.rest[0] in "()[]":
            raise bad_filter(f"The filter lacks {what}.")
        word, self.rest = self.rest[0], self.rest[1:]
        return word


def _below(path: str, filter: Filter) -> Filter:
    """`emails[value eq "x"]` says of parts what `emails.value eq "x"` says."""
    match filter:
        case Comparison(inner, operator, value):
            return Comparison(f"{path}.{inner}", operator, value)
        case Junction(operator, parts):
            return Junction(operator, tuple(_below(path, part) for part in parts))
        case Negation(part):
            return Negation(_below(path, part))


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise bad_filter("The filter cannot be read.")
        found.append(match[0].strip())
        at = match.end()
    return found


def _value(text: str) -> str | bool | int | float | None:
    try:
        value = json.loads(text)
    except ValueError:
        raise bad_filter(f"{text[:50]} is no value.") from None
    if isinstance(value, str) and ("\x00" in value or not value.isprintable()):
        raise bad_filter("A value holds characters that no attribute has.")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise bad_filter("A value is a text, a number, true, false or null.")
