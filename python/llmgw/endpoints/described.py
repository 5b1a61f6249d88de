"""What the OpenAPI description says of the admin API's rows: their contracts, as schemas."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from llmgw.endpoints.base import Contract, Dialect, Endpoint, dialect_of
from llmgw.endpoints.problems import ProblemDocument

_SCHEMAS = "#/components/schemas/"
_TEMPLATE = _SCHEMAS + "{name}"
_JSON, _PROBLEM = "application/json", "application/problem+json"
_ALWAYS = (400, 401, 403, 503)
_OF_OBJECTS = (404,)
_OF_CHANGES = (404, 409, 412)
_OF_BODIES = (413, 415, 422)


def components(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The schemas that the contracts name."""
    contracts = [endpoint.contract for endpoint in endpoints if endpoint.contract is not None]
    types = [ProblemDocument]
    for contract in contracts:
        types += [kind for kind in (contract.body, contract.reply) if kind is not None]
    _, found = msgspec.json.schema_components(types, ref_template=_TEMPLATE)
    for contract in contracts:
        _, of_query = msgspec.json.schema_components([contract.query], ref_template=_TEMPLATE)
        found |= {name: schema for name, schema in of_query.items() if name != contract.query.__name__}
    return {name: _with_numbers(schema) for name, schema in sorted(found.items())}


def _with_numbers(schema: Any) -> Any:
    """The schema with amounts as the numbers that they are: exact ones may be sent as text, too."""
    if isinstance(schema, list):
        return [_with_numbers(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    fields = {name: _with_numbers(each) for name, each in schema.items()}
    return fields | {"type": "number"} if fields.get("format") == "decimal" else fields


def operation(endpoint: Endpoint, contract: Contract) -> dict[str, Any]:
    """What the description says of a row, but for its id and its summary."""
    described: dict[str, Any] = {
        "parameters": [*_path(endpoint), *_query(contract), *_headers(endpoint, contract)],
        "responses": {str(contract.status): _done(contract), **_problems(endpoint, contract)},
    }
    if contract.body is not None:
        described["requestBody"] = {"required": True, "content": {_JSON: {"schema": _schema(contract.body)}}}
    return described


def _path(endpoint: Endpoint) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    names = re.findall(r"{(\w+)\*?}", endpoint.path)
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _query(contract: Contract) -> list[dict[str, Any]]:
    _, found = msgspec.json.schema_components([contract.query], ref_template=_TEMPLATE)
    properties = found[contract.query.__name__]["properties"]
    return [{"name": name, "in": "query", "schema": _given(schema)} for name, schema in properties.items()]


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field that is left out instead of being null."""
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    parts: list[dict[str, Any]] = [part for part in schema.get("anyOf", ()) if part != {"type": "null"}]
    if len(parts) == 1:
        return rest | parts[0]
    shown = rest | ({"anyOf": parts} if parts else {})
    return shown if schema.get("default") is None else shown | {"default": schema["default"]}


def _headers(endpoint: Endpoint, contract: Contract) -> list[dict[str, Any]]:
    found = []
    if contract.conditional or (endpoint.method == "POST" and "{" in endpoint.path):
        text = "The ETag of the object as it was read, or `*` for any."
        found.append(_header("If-Match", text, r'^(\*|"[0-9]{1,9}")$', required=contract.conditional))
    if contract.repeatable:
        text = "Of the caller's making: the same request with the same key is carried out once."
        found.append(_header("Idempotency-Key", text, "^[!-~]{1,255}$", required=False))
    return found


def _header(name: str, text: str, pattern: str, *, required: bool) -> dict[str, Any]:
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "header", "required": required, "description": text, "schema": schema}


def _done(contract: Contract) -> dict[str, Any]:
    done: dict[str, Any] = {"description": HTTPStatus(contract.status).phrase + "."}
    if contract.tagged:
        done["headers"] = {"ETag": {"description": "Of this version.", "schema": {"type": "string"}}}
    if contract.reply is not None:
        done["content"] = {_JSON: {"schema": _schema(contract.reply)}}
    return done


def _problems(endpoint: Endpoint, contract: Contract) -> dict[str, Any]:
    if dialect_of(endpoint.path, None) is not Dialect.ADMIN:  # LiteLLM's: its clients read OpenAI's errors
        schema = {"$ref": _SCHEMAS + "Error"}
        return {"default": {"description": "Refused or failed.", "content": {_JSON: {"schema": schema}}}}
    statuses = {*_ALWAYS, *contract.problems}
    if "{" in endpoint.path:
        statuses |= set(_OF_OBJECTS)
    if endpoint.method != "GET":
        statuses |= set(_OF_CHANGES)
    if contract.body is not None:
        statuses |= set(_OF_BODIES)
    if contract.repeatable:
        statuses.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    if contract.conditional:
        statuses.add(HTTPStatus.PRECONDITION_REQUIRED)
    content = {_PROBLEM: {"schema": {"$ref": _SCHEMAS + ProblemDocument.__name__}}}
    found = {
        str(int(status)): {"description": HTTPStatus(status).phrase + ".", "content": content}
        for status in sorted(statuses)
    }
    # Of a head that cannot be read nobody knows what it was to be for: it is refused as everywhere.
    unreadable = {_JSON: {"schema": {"$ref": _SCHEMAS + "Error"}}}
    found["400"] = {**found["400"], "content": content | unreadable}
    return found


def _schema(kind: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_TEMPLATE)
    return schema
