"""PATCH (RFC 7644 §3.5.2): operations on a resource, one after the other, all or none."""

import copy
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from llmgw.endpoints.scim import filters
from llmgw.endpoints.scim.errors import ScimError, bad_path, bad_value
from llmgw.endpoints.scim.resource import META

MOST = 1000
"""Operations of one request."""

_PATH = re.compile(
    r"(?:(?P<schema>urn:[A-Za-z0-9:.]+[^:.]):)?(?P<attribute>[A-Za-z$][A-Za-z0-9_$-]*)"
    r"(?:\[(?P<filter>.+)\])?(?:\.(?P<part>[A-Za-z$][A-Za-z0-9_$-]*))?",
    re.DOTALL,
)
_CORE = "urn:ietf:params:scim:schemas:core:2.0:"
_READ_ONLY = frozenset({"id", META, "schemas", "groups"})


class Operation(msgspec.Struct, frozen=True):
    """One operation."""

    op: str
    path: str | None = None
    value: Any = None


class Patch(msgspec.Struct, frozen=True):
    """The body of a PATCH."""

    operations: tuple[Operation, ...] = msgspec.field(name="Operations")


def patched(resource: Mapping[str, Any], patch: Patch) -> dict[str, Any]:
    """The resource after the operations.

    Raises:
        ScimError: one of them cannot be done.
    """
    if len(patch.operations) > MOST:
        raise ScimError(413, f"More than {MOST} operations were asked for.", "tooMany")
    changed = copy.deepcopy(dict(resource))
    for operation in patch.operations:
        _apply(changed, operation)
    return changed


def _apply(resource: dict[str, Any], operation: Operation) -> None:
    op = operation.op.lower()  # one widespread client writes `Replace`
    if op not in ("add", "replace", "remove"):
        raise ScimError(400, f"There is no operation {op[:20]}.", "invalidSyntax")
    if operation.path is None:
        if op == "remove":
            raise ScimError(400, "To remove something takes a path.", "noTarget")
        if not isinstance(operation.value, dict):
            raise bad_value("Without a path, the value holds attributes.")
        for name, value in operation.value.items():
            _at_path(resource, op, name, value)
        return
    _at_path(resource, op, operation.path, operation.value)


def _at_path(resource: dict[str, Any], op: str, path: str, value: Any) -> None:
    if path.startswith("urn:") and path in resource and ":extension:" in path:
        _whole(resource, op, path, value)
        return
    match = _PATH.fullmatch(path) if len(path) <= filters.LONGEST else None
    if match is None:
        raise bad_path("The path is not understood.")
    holder = resource
    if (schema := match["schema"]) is not None and not schema.startswith(_CORE):
        holder = resource.setdefault(schema, {})
    name = _spelled(holder, match["attribute"])
    if holder is resource and name.lower() in _READ_ONLY:
        raise ScimError(400, f"{name} cannot be changed.", "mutability")
    if match["filter"] is not None:
        _chosen(holder, op, name, filters.read(match["filter"]), match["part"], value)
    elif (part := match["part"]) is not None:
        inner = holder.setdefault(name, {})
        if not isinstance(inner, dict):
            raise bad_path(f"{name} has no parts.")
        _whole(inner, op, _spelled(inner, part), value)
    else:
        _whole(holder, op, name, value)


def _whole(holder: dict[str, Any], op: str, name: str, value: Any) -> None:
    """An attribute as a whole; to add to a list is to append what it lacks."""
    before = holder.get(name)
    if op == "remove":
        # One client names the members to remove as the value instead of a filter.
        if isinstance(before, list) and isinstance(value, list) and value:
            holder[name] = _without(before, value)
        else:
            holder.pop(name, None)
    elif op == "add" and isinstance(before, list):
        added = value if isinstance(value, list) else [value]
        holder[name] = [*before, *_without(added, before)]
    elif op == "add" and isinstance(before, dict) and isinstance(value, dict):
        holder[name] = {**before, **value}
    else:
        holder[name] = value


def _chosen(
    holder: dict[str, Any], op: str, name: str, filter: filters.Filter, part: str | None, value: Any
) -> None:
    """Those values of an attribute that a filter means."""
    listed = holder.get(name)
    values = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    judged = [(one, filters.judges(filter, one)) for one in values]
    meant = [one for one, is_meant in judged if is_meant]
    if op == "remove" and part is None:
        holder[name] = [one for one, is_meant in judged if not is_meant]
        return
    if not meant:
        if op == "remove":
            return
        # What is to be changed and is not there is made, if the filter says how it looks.
        made = _described(filter)
        if made is None:
            raise ScimError(400, f"No value of {name} is meant by the filter.", "noTarget")
        holder[name], meant = [*values, made], [made]
    for one in meant:
        if part is not None:
            _whole(one, op, _spelled(one, part), value)
        elif isinstance(value, dict):
            one.update(value)
        else:
            raise bad_value(f"A value of {name} has parts.")


def _described(filter: filters.Filter) -> dict[str, Any] | None:
    if isinstance(filter, filters.Comparison) and filter.operator == "eq":
        return {filter.path: filter.value}
    return None


def _without(values: list[Any], others: list[Any]) -> list[Any]:
    """The values that are not among the others: members are told by their `value`."""
    known = {_told_by(one) for one in others}
    return [one for one in values if _told_by(one) not in known]


def _told_by(one: Any) -> bytes:
    """What tells a value from others, as something that is found at once among thousands."""
    if isinstance(one, dict) and "value" in one:
        return b"value " + msgspec.json.encode(one["value"], order="deterministic")
    return b"whole " + msgspec.json.encode(one, order="deterministic")


def _spelled(holder: Mapping[str, Any], name: str) -> str:
    """The attribute as it is written there: names are the same in any case of letters."""
    return next((held for held in holder if held.lower() == name.lower()), name)
