"""The admin API, from the command line: over HTTP, or, where nobody names a gateway, on the local store.

Both ways the same handlers answer; on the store they run in this process, as the owner of the platform.
"""

import getpass
import http.client
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from llmgw._native import Journal
from llmgw.access.principal import Principal, PrincipalKind
from llmgw.access.rbac import Grant, Role, ScopeKind
from llmgw.cli import FAILED, REFUSED, UNHEALTHY, USAGE, CommandError
from llmgw.cli.chat import client_key
from llmgw.cli.database import store_url, with_store
from llmgw.cli.situation import Situation
from llmgw.endpoints.api import admin_endpoints
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.base import Dialect, Reply, Request, problem_reply
from llmgw.endpoints.problems import PREFIX, Kind, Problem
from llmgw.endpoints.table import Table
from llmgw.errors import GatewayError
from llmgw.settings.secrets import Secret
from llmgw.store import upgrade
from llmgw.store.database import Store
from llmgw.store.errors import StoreError
from llmgw.store.keyring import Keyring

_SECONDS = 60.0
_PREFIX = "/api/v1"
_DEFAULT_URL = "http://127.0.0.1:4000"
_MOST_BYTES = 256 * 1024 * 1024


class Api(Protocol):
    """Somebody who answers what the admin API answers."""

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What is answered; `path` is below `/api/v1`, with its query. Changes are made at any version.

        Raises:
            CommandError: it is refused, or cannot be asked.
        """


def find_api(situation: Situation, url: str | None, key: str | None) -> Api:
    """The gateway at this URL or at `LLMGW_URL`; without either, the store if that is a local SQLite.

    Raises:
        CommandError: there is no key to show.
    """
    url = url or situation.environment.get("LLMGW_URL")
    if url is None and store_url(situation).startswith("sqlite"):
        return LocalApi(situation)
    shown = Secret(key) if key else client_key(situation.environment)
    return HttpApi(url or _DEFAULT_URL, shown)


class HttpApi:
    """A running gateway."""

    def __init__(self, url: str, key: Secret) -> None:
        """Raises CommandError if `url` is not one."""
        parts = urlsplit(url if "//" in url else f"//{url}", scheme="http")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CommandError(f"not a URL: {url}", hint="expected http://host:port", status=USAGE)
        self._url, self._parts, self._key = url, parts, key

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """As of `Api`."""
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        port = self._parts.port or (443 if secure else 80)
        connection = kind(str(self._parts.hostname), port, timeout=_SECONDS)
        content = None if body is None else msgspec.json.encode(body)
        headers = _headers(method) | {"authorization": f"Bearer {self._key.reveal()}"}
        try:
            connection.request(method, self._parts.path.rstrip("/") + _PREFIX + path, content, headers)
            reply = connection.getresponse()
            return _answered(reply.status, reply.read(_MOST_BYTES))
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or error
            message = f"cannot reach {self._url}: {reason}"
            hint = "is the gateway running? llmgw serve"
            raise CommandError(message, hint=hint, status=UNHEALTHY) from None
        finally:
            connection.close()


class LocalApi:
    """The store of this machine, whether a gateway runs on it or not."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """As of `Api`."""
        events: list[bytes] = []
        try:
            reply = with_store(self._situation, lambda store: self._answer(store, method, path, body, events))
        finally:
            self._note(events)
        return _answered(reply.status, reply.body)

    async def _answer(self, store: Store, method: str, path: str, body: Any, events: list[bytes]) -> Reply:
        await upgrade.upgrade(store)
        state = self._situation.folder.prepare(with_master_key=False)
        keyring = Keyring.locate(self._situation.environment, self._situation.folder.path)
        desk = Desk(store=store, pepper=state.pepper, keyring=keyring, note_event=events.append)
        path, _, query = path.partition("?")
        try:
            endpoint, parameters = Table(admin_endpoints(desk, lambda: None)).match(method, _PREFIX + path)
            assert endpoint.handler is not None  # noqa: S101 - the admin API is Python's
            request = Request(
                method=method,
                path=_PREFIX + path,
                parameters=parameters,
                principal=_owner(),
                dialect=Dialect.ADMIN,
                query=query,
                headers=_headers(method),
                body=b"" if body is None else msgspec.json.encode(body),
            )
            return await endpoint.handler(request)
        except (GatewayError, Problem, StoreError) as error:
            return problem_reply(error, "")

    def _note(self, events: list[bytes]) -> None:
        """Write what was changed into a journal of this process's own."""
        if not events:
            return
        from llmgw.cli.ledger import journal_folder  # noqa: PLC0415 - large, and only changes need it

        journal = Journal(journal_folder(self._situation), segment_bytes=_SMALL_SEGMENT)
        try:
            for event in events:
                journal.append(event)
        finally:
            journal.close()


_SMALL_SEGMENT = 128 * 1024


def _owner() -> Principal:
    """Whoever may write the store's file."""
    name = getpass.getuser()
    grant = Grant(role=Role.OWNER, scope=ScopeKind.PLATFORM)
    return Principal(kind=PrincipalKind.CLI, id=name, name=name, grants=(grant,))


def _headers(method: str) -> dict[str, str]:
    found = {"content-type": "application/json"}
    if method in ("PATCH", "DELETE"):
        found["if-match"] = "*"
    return found


def _answered(status: int, body: bytes) -> Any:
    """The value of a reply.

    Raises:
        CommandError: it tells of a problem.
    """
    if status < http.client.BAD_REQUEST:
        return json.loads(body, parse_float=Decimal) if body else None
    problem = _problem(body)
    kind = str(problem.get("type", "")).removeprefix(PREFIX)
    fallback = UNHEALTHY if status >= http.client.INTERNAL_SERVER_ERROR else FAILED
    raise CommandError(_told(status, problem), status=_EXIT.get(kind, fallback))


_EXIT: Mapping[str, int] = {
    Kind.INVALID_REQUEST.slug: USAGE,
    Kind.INVALID_BODY.slug: USAGE,
    Kind.UNAUTHENTICATED.slug: REFUSED,
    Kind.PERMISSION_DENIED.slug: REFUSED,
    Kind.FIELD_NOT_ALLOWED.slug: REFUSED,
    Kind.ROLE_NOT_ALLOWED.slug: REFUSED,
}
"""Exit codes by kinds of problems."""


def _problem(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _told(status: int, problem: Mapping[str, Any]) -> str:
    """One sentence of a problem, with what is wrong where."""
    try:
        faults = [f"{each['pointer'] or 'the body'}: {each['detail']}" for each in problem.get("errors", [])]
        return "; ".join([str(problem["detail"]).rstrip("."), *faults])
    except (KeyError, TypeError):
        return f"the gateway answered with status {status}"
