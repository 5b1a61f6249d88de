"""The control plane (RSGI): match a row, check the caller against it, run it, render reply or error."""

import asyncio
import hmac
import time
from typing import Protocol
from urllib.parse import parse_qs

from llmgw import errors
from llmgw._native import Gateway, Refused
from llmgw.access.principal import Principal, PrincipalKind, master
from llmgw.access.rbac import Permission, grants_with
from llmgw.endpoints.base import (
    Access,
    Dialect,
    Endpoint,
    Reply,
    Request,
    dialect_of,
    error_reply,
)
from llmgw.endpoints.files import file_endpoints
from llmgw.endpoints.gemini import gemini_endpoints
from llmgw.endpoints.media import media_endpoints
from llmgw.endpoints.models import model_endpoints
from llmgw.endpoints.openai import openai_endpoints
from llmgw.endpoints.ops import openapi_endpoint, ops_endpoints
from llmgw.endpoints.table import Table
from llmgw.errors import GatewayError, InternalError, MethodNotAllowed, NotFound, PermissionDenied
from llmgw.gateway.handover import Handover
from llmgw.gateway.sync import Worker
from llmgw.telemetry.logs import log

_KEY_HEADERS = ("x-litellm-api-key", "authorization", "x-api-key", "api-key", "x-goog-api-key")
_EDGE_HEADER = "x-llmgw-edge"
"""As in the native core, `control.rs`."""


class _Headers(Protocol):
    def get(self, key: str) -> str | None: ...


class _Scope(Protocol):
    proto: str
    method: str
    path: str
    query_string: str
    headers: _Headers


class _Protocol(Protocol):
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class App:
    """One worker's control plane, and the owner of its edge."""

    def __init__(self, handover: Handover) -> None:
        self._secret = handover.edge.secret
        self._worker = Worker(handover)
        gateway = self._worker.gateway
        rows = [
            *openai_endpoints(),
            *gemini_endpoints(),
            *media_endpoints(),
            *file_endpoints(),
            *model_endpoints(gateway, int(time.time())),
            *ops_endpoints(gateway, handover.metrics_auth),
        ]
        self.endpoints = [*rows, openapi_endpoint(rows)]
        self._table = Table(self.endpoints)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Granian is about to serve: open the edge."""
        self._worker.start(loop)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Granian has stopped serving: let the edge finish what it has."""
        self._worker.stop()

    async def __rsgi__(self, scope: _Scope, protocol: _Protocol) -> None:
        """Answer one request."""
        reply = await self._answer(scope)
        protocol.response_bytes(reply.status, list(reply.headers), reply.body)

    async def _answer(self, scope: _Scope) -> Reply:
        dialect = dialect_of(scope.path, scope.headers.get("anthropic-version"))
        try:
            return await self._run(scope, dialect)
        except MethodNotAllowed as error:
            reply = error_reply(error, dialect)
            headers = (*reply.headers, ("allow", self._table.allowed(scope.path)))
            return Reply(status=reply.status, headers=headers, body=reply.body)
        except GatewayError as error:
            return error_reply(error, dialect)
        except Exception:
            log.exception("the control plane failed", path=scope.path)
            return error_reply(InternalError("Something went wrong; the log has the details."), dialect)

    async def _run(self, scope: _Scope, dialect: Dialect) -> Reply:
        shown = scope.headers.get(_EDGE_HEADER) or ""
        if scope.proto != "http" or not hmac.compare_digest(shown, self._secret):
            raise NotFound("There is nothing here.")
        endpoint, parameters = self._table.match(scope.method, scope.path)
        key = _shown_key(scope, dialect)
        principal = _authorise(self._worker.gateway, endpoint, key)
        if endpoint.handler is None:
            # The edge serves its paths as they are written; what only decodes to one is another path.
            raise NotFound(f"There is no endpoint {scope.path[:200]}.")
        request = Request(
            method=scope.method,
            path=scope.path,
            parameters=parameters,
            principal=principal,
            dialect=dialect,
        )
        return await endpoint.handler(request)


def _authorise(gateway: Gateway, endpoint: Endpoint, key: bytes | None) -> Principal | None:
    """Who calls, if the row asks for it; refused if the row is not for them."""
    permission = endpoint.permission
    if permission is Access.PUBLIC:
        return None
    try:
        alias, admin = gateway.authenticate(key)
    except Refused as refused:
        name, message = refused.args
        raise getattr(errors, name)(message) from None
    principal = master(alias) if admin else Principal(kind=PrincipalKind.KEY, id=alias, name=alias)
    if isinstance(permission, Permission) and not grants_with(principal.grants, permission):
        raise PermissionDenied("This endpoint takes the admin key.")
    return principal


def _shown_key(scope: _Scope, dialect: Dialect) -> bytes | None:
    """The key of a header; clients of Gemini may show it in the query instead."""
    for name in _KEY_HEADERS:
        if (value := scope.headers.get(name)) is not None:
            scheme, _, key = value.partition(" ")
            return (key.strip() if scheme.lower() == "bearer" else value).encode()
    if dialect is Dialect.GEMINI:
        keys = parse_qs(scope.query_string).get("key")
        return keys[0].encode() if keys else None
    return None


def make_app() -> App:
    """The app of this worker process: for Granian, which calls it after the fork.

    Raises:
        RuntimeError: there is no supervisor.
    """
    if Handover.current is None:
        raise RuntimeError("llmgw.app is started by `llmgw serve`")
    return App(Handover.current)
