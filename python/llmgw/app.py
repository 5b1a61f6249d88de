"""The control plane (RSGI): match a row, check the caller against it, run it, render reply or error."""

import asyncio
import hmac
import re
import time
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs

from llmgw.access.callers import Caller, Callers
from llmgw.access.principal import Principal
from llmgw.access.rbac import Permission, grants_with
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.base import (
    HEADERS,
    Access,
    Dialect,
    Endpoint,
    Plane,
    Reply,
    Request,
    dialect_of,
    error_reply,
    problem_reply,
)
from llmgw.endpoints.problems import Problem, of_store
from llmgw.endpoints.rows import Doors, all_endpoints
from llmgw.endpoints.scim.errors import error_reply as scim_error_reply
from llmgw.endpoints.table import Table
from llmgw.errors import (
    GatewayError,
    InternalError,
    InvalidRequest,
    LlmgwError,
    MethodNotAllowed,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from llmgw.gateway.handover import Handover
from llmgw.gateway.sync import Worker
from llmgw.store.database import Store
from llmgw.store.errors import StoreError
from llmgw.telemetry.logs import log

_KEY_HEADERS = ("x-litellm-api-key", "authorization", "x-api-key", "api-key", "x-goog-api-key")
_KEY_IN_PATH = re.compile(r"sk-[^/]*")
_EDGE_HEADER = "x-llmgw-edge"
"""As in the native core, `control.rs`; so is the next."""
_CLIENT_HEADER = "x-llmgw-client"
_CERTIFICATE_HEADER = "x-llmgw-certificate"
_DOOR_HEADER = "x-llmgw-door"
_CSRF_HEADER = "x-llmgw-csrf"
_SAFE = ("GET", "HEAD", "OPTIONS")
_SERVED = {
    "only": (Plane.DATA, Plane.ADMIN, Plane.BOTH),
    "public": (Plane.DATA, Plane.BOTH),
    "admin": (Plane.ADMIN, Plane.BOTH),
}
"""What is served at which door of the edge."""


class _Headers(Protocol):
    def get(self, key: str) -> str | None: ...


class _Scope(Protocol):
    proto: str
    method: str
    path: str
    query_string: str
    headers: _Headers


class _Protocol(Protocol):
    async def __call__(self) -> bytes: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class App:
    """One worker's control plane, and the owner of its edge."""

    def __init__(self, handover: Handover) -> None:
        self._secret = handover.edge.secret
        self._worker = Worker(handover)
        gateway = self._worker.gateway
        self._store = Store.open(handover.store_url.reveal())
        self._callers = Callers(gateway, self._store, handover.pepper, handover.oidc)
        desk = Desk(
            store=self._store,
            pepper=handover.pepper,
            keyring=handover.keyring,
            note_event=gateway.note_event,
        )
        self.endpoints = all_endpoints(
            gateway,
            desk,
            Doors(oidc=handover.oidc, sessions=self._callers.sessions, scim_roles=handover.scim_roles),
            started=int(time.time()),
            metrics_auth=handover.metrics_auth,
            run_folder=Path(handover.run_folder),
        )
        self._table = Table(self.endpoints)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Granian is about to serve: open the edge."""
        self._worker.start(loop)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Granian has stopped serving: let the edge finish what it has."""
        self._worker.stop()

    async def __rsgi__(self, scope: _Scope, protocol: _Protocol) -> None:
        """Answer one request."""
        reply = await self._answer(scope, protocol)
        protocol.response_bytes(reply.status, list(reply.headers), reply.body)

    async def _answer(self, scope: _Scope, protocol: _Protocol) -> Reply:
        dialect = dialect_of(scope.path, scope.headers.get("anthropic-version"))
        try:
            return await self._run(scope, protocol, dialect)
        except MethodNotAllowed as error:
            reply = self._refused(error, scope, dialect)
            headers = (*reply.headers, ("allow", self._table.allowed(scope.path)))
            return Reply(status=reply.status, headers=headers, body=reply.body)
        except (GatewayError, Problem, StoreError) as error:
            if isinstance(error, Unauthenticated) and error.__cause__ is not None:
                reason = type(error.__cause__).__name__
                log.error("a caller could not be identified", path=_without_key(scope.path), reason=reason)
            return self._refused(error, scope, dialect)
        except Exception:
            log.exception("the control plane failed", path=_without_key(scope.path))
            failed = InternalError("Something went wrong; the log has the details.")
            return self._refused(failed, scope, dialect)

    def _refused(self, error: LlmgwError, scope: _Scope, dialect: Dialect) -> Reply:
        """The reply that tells of an error: a problem in the admin API, else in the client's dialect."""
        told = of_store(error) if isinstance(error, StoreError) else error
        if isinstance(told, StoreError):
            log.error("the store failed", path=_without_key(scope.path), reason=str(told))
        if dialect is Dialect.SCIM:
            return scim_error_reply(error)
        if dialect is Dialect.ADMIN or not isinstance(told, GatewayError):
            return problem_reply(told, scope.headers.get("x-request-id") or "")
        return error_reply(told, dialect)

    async def _run(self, scope: _Scope, protocol: _Protocol, dialect: Dialect) -> Reply:
        shown = scope.headers.get(_EDGE_HEADER) or ""
        if scope.proto != "http" or not hmac.compare_digest(shown, self._secret):
            raise NotFound("There is nothing here.")
        endpoint, parameters = self._table.match(scope.method, scope.path)
        if endpoint.plane not in _SERVED[scope.headers.get(_DOOR_HEADER) or "only"]:
            raise NotFound(f"There is no endpoint {scope.path[:200]}.")
        caller = await self._identify(endpoint, scope, dialect)
        if caller is not None:
            _authorise(endpoint, caller.principal)
            _check_origin(scope, caller.principal)
        if endpoint.handler is None:
            # The edge serves its paths as they are written; what only decodes to one is another path.
            raise NotFound(f"There is no endpoint {scope.path[:200]}.")
        request = Request(
            method=scope.method,
            path=scope.path,
            parameters=parameters,
            principal=caller.principal if caller else None,
            holder=caller.holder if caller else None,
            dialect=dialect,
            query=scope.query_string,
            headers={name: value for name in HEADERS if (value := scope.headers.get(name)) is not None},
            body=await _read_body(scope, protocol),
            request_id=scope.headers.get("x-request-id") or "",
            client=scope.headers.get(_CLIENT_HEADER) or "",
        )
        return await endpoint.handler(request)

    async def _identify(self, endpoint: Endpoint, scope: _Scope, dialect: Dialect) -> Caller | None:
        """Who calls, if the row asks for it."""
        if endpoint.permission is Access.PUBLIC:
            return None
        roles = endpoint.plane is Plane.ADMIN or isinstance(endpoint.permission, Permission)
        key, client = _shown_key(scope, dialect), scope.headers.get(_CLIENT_HEADER)
        certificate = scope.headers.get(_CERTIFICATE_HEADER)
        if key is None and certificate is None and (cookie := scope.headers.get("cookie")) is not None:
            return await self._callers.of_session(cookie, client)
        return await self._callers.identify(key, client, roles=roles, certificate=certificate)


def _authorise(endpoint: Endpoint, principal: Principal) -> None:
    """Refuse who does not hold, in any scope, the permission of the row that was matched."""
    permission = endpoint.permission
    if isinstance(permission, Permission) and not grants_with(principal.grants, permission):
        raise PermissionDenied(f"This endpoint takes the permission {permission}.")


def _shown_key(scope: _Scope, dialect: Dialect) -> bytes | None:
    """The key of a header; clients of Gemini may show it in the query instead.

    Raises:
        InvalidRequest: two headers show different keys.
    """
    shown = [_bare(value) for name in _KEY_HEADERS if (value := scope.headers.get(name)) is not None]
    if len(set(shown[:2])) > 1 and scope.headers.get(_KEY_HEADERS[0]) is None:
        raise InvalidRequest("Two different API keys were given; send one.")
    if shown:
        return shown[0].encode()
    if dialect is Dialect.GEMINI:
        keys = parse_qs(scope.query_string).get("key")
        return keys[0].encode() if keys else None
    return None


def _without_key(path: str) -> str:
    """The path for the log: one of LiteLLM's has a key in it."""
    return _KEY_IN_PATH.sub("sk-…", path)


def _bare(value: str) -> str:
    scheme, _, key = value.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else value


def _check_origin(scope: _Scope, principal: Principal) -> None:
    """Refuse a change that a browser's cookie would allow to another site."""
    if not principal.session or scope.method in _SAFE:
        return
    if scope.headers.get(_CSRF_HEADER) is None:
        raise PermissionDenied(f"A session's changes take the header {_CSRF_HEADER}.")
    if scope.headers.get("sec-fetch-site") not in (None, "same-origin", "none"):
        raise PermissionDenied("This change was asked for by another site.")


async def _read_body(scope: _Scope, protocol: _Protocol) -> bytes:
    """The whole body.

    Raises:
        InvalidRequest: the client left before it was complete: an abort, and no empty body.
    """
    if scope.method in _SAFE:
        return b""
    try:
        body = await protocol()
    except RuntimeError:
        raise InvalidRequest("The request's body ended before it was complete.") from None
    told = scope.headers.get("content-length")
    if told is not None and told != str(len(body)):
        raise InvalidRequest("The request's body ended before it was complete.")
    return body


def make_app() -> App:
    """The app of this worker process: for Granian, which calls it after the fork.

    Raises:
        RuntimeError: there is no supervisor.
    """
    if Handover.current is None:
        raise RuntimeError("llmgw.app is started by `llmgw serve`")
    return App(Handover.current)
