"""A call to the admin API: body, query and preconditions checked, in one transaction, answered once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec

from llmgw.access.principal import Principal
from llmgw.access.rbac import Permission, grants_with
from llmgw.endpoints.api.bodies import read_body, read_query
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.idempotency import Once, TakenMeanwhileError
from llmgw.endpoints.api.reach import scope_of
from llmgw.endpoints.base import JSON, Access, Contract, Endpoint, Handler, Plane, Reply, Request
from llmgw.endpoints.problems import Kind, Problem
from llmgw.store.database import Actor, Transaction
from llmgw.store.noun import Refused
from llmgw.store.scope import Scope

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_NO_STORE = ("cache-control", "no-store")
_ANY_VERSION = "*"
_LONGEST_VERSION = 9
_PAUSES = (0.02, 0.1, 0.5, 1.0)
_CHANGES = ("POST", "PUT", "PATCH", "DELETE")


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query without fields."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a handler gets: everything that came with the request is checked."""

    desk: Desk
    tx: Transaction
    principal: Principal
    scope: Scope
    """What the caller may do this to."""
    parameters: Mapping[str, str]
    body: Any = None
    """Of the contract's type."""
    query: Any = None
    version: int | None = None
    """The one that the object must be at."""
    request: Request


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a handler answers; the contract has the status."""

    value: Any = None
    version: int | None = None
    """Of the object, for its ETag."""
    headers: tuple[tuple[str, str], ...] = field(default=())


Work = Callable[[Call], Awaitable[Answer]]


def row(
    desk: Desk,
    method: str,
    path: str,
    permission: Permission | Access,
    summary: str,
    work: Work,
    contract: Contract,
) -> Endpoint:
    """A row of the admin API: `work` runs in a transaction, which an exception rolls back."""

    async def handler(request: Request) -> Reply:
        return await _answer(desk, request, permission, contract, work)

    contract = msgspec.structs.replace(
        contract,
        query=contract.query or NoQuery,
        repeatable=method == "POST",
        status=_status(method, contract),
    )
    return Endpoint(
        method=method,
        path=path,
        permission=permission,
        summary=summary,
        handler=handler,
        plane=Plane.ADMIN,
        contract=contract,
    )


def plain_row(
    path: str, permission: Permission | Access, summary: str, handler: Handler, contract: Contract
) -> Endpoint:
    """A row of the admin API that only reads, and does without the database."""

    async def checked(request: Request) -> Reply:
        read_query(request.query, NoQuery)
        return await handler(request)

    return Endpoint(
        method="GET",
        path=path,
        permission=permission,
        summary=summary,
        handler=checked,
        plane=Plane.ADMIN,
        contract=msgspec.structs.replace(contract, query=NoQuery),
    )


def encoded(value: object) -> Reply:
    """A value as the body of a reply."""
    return Reply(headers=(JSON, _NO_STORE), body=_ENCODER.encode(value))


def etag(version: int) -> str:
    """The ETag of an object at this version."""
    return f'"{version}"'


def _status(method: str, contract: Contract) -> int:
    return int(HTTPStatus.NO_CONTENT) if method == "DELETE" else contract.status


async def _answer(
    desk: Desk, request: Request, permission: Permission | Access, contract: Contract, work: Work
) -> Reply:
    principal = request.principal
    if principal is None:
        raise Problem(Kind.UNAUTHENTICATED, "This endpoint asks for a key.")
    query = read_query(request.query, contract.query)
    body = _body(request, contract)
    version = _version(request.headers.get("if-match"), contract)
    grants = grants_with(principal.grants, permission) if isinstance(permission, Permission) else ()
    scope = scope_of(grants)

    def call(tx: Transaction) -> Call:
        return Call(
            desk=desk,
            tx=tx,
            principal=principal,
            scope=scope,
            parameters=request.parameters,
            body=body,
            query=query,
            version=version,
            request=request,
        )

    if request.method not in _CHANGES:
        async with desk.store.read() as tx:
            try:
                return _reply(contract, await work(call(tx)))
            except Refused as error:  # a filter that is none
                raise Problem(Kind.INVALID_REQUEST, str(error)) from None
    once = Once.of(request, principal) if contract.repeatable else None

    async def change() -> Reply:
        async with desk.store.begin(_actor(request, principal)) as tx:
            if once is not None and (before := await once.replay(tx, desk.keyring)) is not None:
                return before
            reply = _reply(contract, await work(call(tx)))
            if once is not None:
                await once.keep(tx, desk.keyring, reply)
        desk.journal(tx.events)
        return reply

    return await _once_it_is_ours(change)


async def _once_it_is_ours(change: Callable[[], Awaitable[Reply]]) -> Reply:
    """Again while another transaction carries out the same request: then there is its reply."""
    for pause in _PAUSES:
        try:
            return await change()
        except TakenMeanwhileError:
            await asyncio.sleep(pause)
    raise Problem(Kind.CONFLICT, "The same request is being carried out; ask again later.")


def _body(request: Request, contract: Contract) -> Any:
    if contract.body is None:
        if request.body.strip() not in (b"", b"{}"):
            raise Problem(Kind.INVALID_REQUEST, "This endpoint takes no body.")
        return None
    return read_body(request.body, request.headers.get("content-type", ""), contract.body)


def _version(value: str | None, contract: Contract) -> int | None:
    """The version that `If-Match` names; one that no object ever has if that is no ETag of ours.

    Raises:
        Problem: it is asked for, and not there.
    """
    if value is None:
        if contract.conditional:
            detail = "Send If-Match with the ETag that you have read, or * for any."
            raise Problem(Kind.PRECONDITION_REQUIRED, detail)
        return None
    if value.strip() == _ANY_VERSION:
        return None
    digits = value.strip().strip('"')
    plain = digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_VERSION
    return int(digits) if plain else 0


def _actor(request: Request, principal: Principal) -> Actor:
    return Actor(
        kind=principal.kind.value,
        id=principal.id,
        name=principal.name,
        ip=request.client or None,
        request=request.request_id or None,
    )


def _reply(contract: Contract, answer: Answer) -> Reply:
    tag = (("etag", etag(answer.version)),) if answer.version is not None else ()
    headers = (_NO_STORE, *tag, *answer.headers)
    if contract.reply is None:
        return Reply(status=contract.status, headers=headers)
    return Reply(status=contract.status, headers=(JSON, *headers), body=_ENCODER.encode(answer.value))
