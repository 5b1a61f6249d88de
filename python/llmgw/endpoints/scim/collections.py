"""The rows of a collection: list, make, read, replace, change and remove."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
import sqlalchemy as sa

from llmgw.access.principal import Principal
from llmgw.access.rbac import Permission
from llmgw.endpoints.base import Endpoint, Handler, Plane, Reply, Request
from llmgw.endpoints.scim import filters
from llmgw.endpoints.scim.errors import MEDIA_TYPE, ScimError, bad_value, error_reply
from llmgw.endpoints.scim.patching import Patch, patched
from llmgw.endpoints.scim.resource import BASE, META, Found, Resource, etag
from llmgw.endpoints.scim.tenant import tenant_of
from llmgw.errors import LlmgwError
from llmgw.store.database import SYSTEM, Actor, Store

MOST = 200
"""Resources of a page."""

_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_TYPES = ("application/scim+json", "application/json")
_ALWAYS = frozenset({"schemas", "id"})

T = TypeVar("T")


def collection_endpoints(store: Store, resource: Resource) -> list[Endpoint]:
    """The rows of one collection."""

    async def page(request: Request) -> Reply:
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        condition: sa.ColumnElement[bool] = sa.true()
        if (text := query.get("filter")) is not None:
            condition = filters.condition(filters.read(text), resource.column)
        start, count = (
            max(1, _number(query, "startIndex", 1)),
            max(0, min(_number(query, "count", 100), MOST)),
        )
        async with store.read() as tx:
            tenant = tenant_of(request.principal)
            found, total = await resource.page(tx, tenant, condition, start - 1, count)
        listed = {
            "schemas": [_LIST],
            "totalResults": total,
            "startIndex": start,
            "itemsPerPage": len(found),
            "Resources": [_chosen(one, query) for one in found],
        }
        return _reply(200, listed)

    async def create(request: Request) -> Reply:
        async with store.begin(_actor(request)) as tx:
            made = await resource.create(tx, tenant_of(request.principal), _body(request))
        return _answer(made, request, 201)

    async def read(request: Request) -> Reply:
        async with store.read() as tx:
            found = await resource.get(tx, tenant_of(request.principal), request.parameters["id"])
        if request.headers.get("if-none-match") == etag(found.version):
            return Reply(status=304, headers=(("etag", etag(found.version)),))
        return _answer(found, request, 200)

    async def replace(request: Request) -> Reply:
        async with store.begin(_actor(request)) as tx:
            tenant, id = tenant_of(request.principal), request.parameters["id"]
            changed = await resource.replace(tx, tenant, id, _body(request), _version(request))
        return _answer(changed, request, 200)

    async def change(request: Request) -> Reply:
        patch = _patch(request)
        async with store.begin(_actor(request)) as tx:
            tenant, id, version = tenant_of(request.principal), request.parameters["id"], _version(request)
            before = await resource.get(tx, tenant, id)
            after = patched(before.body, patch)
            changed = await resource.replace(tx, tenant, id, after, version or before.version)
        return _answer(changed, request, 200)

    async def remove(request: Request) -> Reply:
        async with store.begin(_actor(request)) as tx:
            tenant, id = tenant_of(request.principal), request.parameters["id"]
            await resource.remove(tx, tenant, id, _version(request))
        return Reply(status=204, headers=())

    many, one = f"{BASE}/{resource.endpoint}", f"{BASE}/{resource.endpoint}/{{id}}"
    noun = resource.endpoint.lower()
    return [
        _row("GET", many, f"The {noun}, by page and filter.", page),
        _row("POST", many, f"Adds one of the {noun}.", create),
        _row("GET", one, f"One of the {noun}.", read),
        _row("PUT", one, f"Replaces one of the {noun}.", replace),
        _row("PATCH", one, f"Changes parts of one of the {noun}.", change),
        _row("DELETE", one, f"Removes one of the {noun}.", remove),
    ]


def in_dialect(handler: Handler) -> Callable[[Request], Awaitable[Reply]]:
    """A handler whose errors are told as SCIM tells them."""

    async def told(request: Request) -> Reply:
        try:
            return await handler(request)
        except LlmgwError as error:
            return error_reply(error)

    return told


def _row(method: str, path: str, summary: str, handler: Handler) -> Endpoint:
    return Endpoint(
        method=method,
        path=path,
        permission=Permission.SCIM,
        summary=summary,
        handler=in_dialect(handler),
        accepts=_TYPES,
        plane=Plane.ADMIN,
    )


def _reply(status: int, body: Mapping[str, Any], *headers: tuple[str, str]) -> Reply:
    return Reply(status=status, headers=(MEDIA_TYPE, *headers), body=msgspec.json.encode(body))


def _answer(found: Found, request: Request, status: int) -> Reply:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    place = ("location", found.body[META]["location"])
    return _reply(status, _chosen(found.body, query), ("etag", etag(found.version)), place)


def _chosen(body: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    """The attributes that a client asks for, or does not want (RFC 7644 §3.9)."""
    wanted = {name.strip().lower() for name in query.get("attributes", "").split(",") if name.strip()}
    unwanted = {name.strip().lower() for name in query.get("excludedAttributes", "").split(",")}
    return {
        name: value
        for name, value in body.items()
        if name in _ALWAYS or (name.lower() not in unwanted and (not wanted or name.lower() in wanted))
    }


def _body(request: Request) -> dict[str, Any]:
    return _decoded(request, dict[str, Any])


def _patch(request: Request) -> Patch:
    return _decoded(request, Patch)


def _decoded(request: Request, kind: type[T]) -> T:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _TYPES:
        raise ScimError(415, "Send application/scim+json.")
    try:
        return msgspec.json.decode(request.body, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise ScimError(400, "The body is not what is taken here.", "invalidSyntax") from None


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if len(text) > 9 or not text.lstrip("-").isascii() or not text.lstrip("-").isdecimal():
        raise bad_value(f"{name} is a number.")
    return int(text)


def _version(request: Request) -> int | None:
    """The version that `If-Match` asks for."""
    told = request.headers.get("if-match")
    if told is None or told == "*":
        return None
    digits = told.removeprefix("W/").strip('"')
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 9:
        raise ScimError(412, "That version was never handed out.")
    return int(digits)


def _actor(request: Request) -> Actor:
    """Who is said to have done it."""
    principal: Principal | None = request.principal
    if principal is None:
        return SYSTEM
    return Actor(
        kind=principal.kind.value,
        id=principal.id,
        name=principal.name,
        ip=request.client or None,
        request=request.request_id or None,
    )
