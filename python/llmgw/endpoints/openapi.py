"""The OpenAPI 3.1 description, made from the table of endpoints."""

import re

from llmgw._native import __version__
from llmgw.endpoints.base import AZURE_REALTIME, Access, Endpoint
from llmgw.endpoints.described import components, operation
from llmgw.errors import Unauthenticated
from llmgw.model import Operation

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}


def describe(endpoints: list[Endpoint]) -> dict[str, object]:
    """The document for these endpoints."""
    paths: dict[str, dict[str, object]] = {}
    for endpoint in endpoints:
        path = endpoint.path.replace("*}", "}")
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "llmgw",
            "version": __version__,
            "description": "One endpoint for all models. Bodies are those of the OpenAI API.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR, **components(endpoints)},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A virtual key, or the admin key."}
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, object]:
    if endpoint.contract is not None:
        named = {"operationId": _operation_id(endpoint), "summary": endpoint.summary}
        return {**named, **operation(endpoint, endpoint.contract), "security": [{"key": []}]}
    return _of_the_data_plane(endpoint)


def _of_the_data_plane(endpoint: Endpoint) -> dict[str, object]:
    opens = endpoint.operation is Operation.REALTIME
    done = {"101": {"description": "Open."}} if opens else {"200": {"description": "Done."}}
    described: dict[str, object] = {
        "operationId": _operation_id(endpoint),
        "summary": endpoint.summary,
        "responses": {**done, "default": _error("Refused or failed.")},
    }
    names = re.findall(r"{(\w+)\*?}", endpoint.path)
    if names:
        described["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    if opens:
        name = "deployment" if endpoint.path == AZURE_REALTIME else "model"
        described["parameters"] = [
            {"name": name, "in": "query", "required": True, "schema": {"type": "string"}}
        ]
    if endpoint.operation is not None and endpoint.method == "POST" and endpoint.accepts:
        content = {kind: {"schema": {"type": "object"}} for kind in endpoint.accepts}
        described["requestBody"] = {"required": True, "content": content}
    if endpoint.permission is not Access.PUBLIC:
        described["security"] = [{"key": []}]
        described["responses"] = {
            **done,
            str(Unauthenticated.status): _error("No key, or one that is not valid."),
            "default": _error("Refused or failed."),
        }
    return described


def _operation_id(endpoint: Endpoint) -> str:
    words = re.findall(r"\w+", endpoint.path)
    return "_".join([endpoint.method.lower(), *words])


def _error(description: str) -> dict[str, object]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
