"""What an endpoint is: one row of a table, matched before anything is decided about it."""

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any

import msgspec
import orjson

from llmgw._native import KeyHolder
from llmgw.access.principal import Principal
from llmgw.access.rbac import Permission
from llmgw.endpoints.problems import PROBLEM, document_of
from llmgw.errors import GatewayError, LlmgwError, encode_anthropic, encode_gemini, encode_openai
from llmgw.model import Operation

JSON = ("content-type", "application/json")
AZURE_REALTIME = "/openai/realtime"
"""Where Azure's dated API opens realtime sessions; its query names a deployment instead of a model."""


class Dialect(Enum):
    """Whose API a client speaks; the bodies of lists and errors follow it."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    ADMIN = "admin"
    """The admin API's: problems."""
    SCIM = "scim"
    """Of identity providers."""


class Plane(Enum):
    """Where an endpoint is served if the admin API has an address of its own."""

    DATA = "data"
    ADMIN = "admin"
    BOTH = "both"


class Access(Enum):
    """Who may call an endpoint that asks for no permission."""

    PUBLIC = "public"
    KEY = "key"
    """Any valid key."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request to the control plane, its endpoint already matched."""

    method: str
    path: str
    parameters: dict[str, str]
    """What the path's placeholders matched."""
    principal: Principal | None
    """`None` on public endpoints."""
    holder: KeyHolder | None = None
    """Whose key was shown, as the data plane knows it; `None` without one."""
    dialect: Dialect = Dialect.OPENAI
    """Whose API the client speaks."""
    query: str = ""
    """As sent."""
    headers: Mapping[str, str] = {}
    """Those that handlers look at (`HEADERS`), their names in lower case."""
    body: bytes = b""
    request_id: str = ""
    client: str = ""
    """The client's address."""


HEADERS = ("content-type", "if-match", "if-none-match", "idempotency-key", "cookie", "user-agent")
"""The headers that handlers may look at."""


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint of the admin API takes and answers: checked, and told in its description."""

    body: Any = None
    """The type of its body; `None`: there is none."""
    query: Any = None
    """The struct of its query."""
    reply: Any = None
    """The type of what it answers if all is well; `None`: nothing."""
    status: int = 200
    problems: tuple[int, ...] = ()
    """The statuses of its problems, but for those that every endpoint has."""
    tagged: bool = False
    """Its reply has an ETag."""
    conditional: bool = False
    """It takes `If-Match`, and asks for it."""
    repeatable: bool = False
    """It takes `Idempotency-Key`."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply, whole."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (JSON,)
    body: bytes = b""


Handler = Callable[[Request], Awaitable[Reply]]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One row: a path, what serves it, and who may call it."""

    method: str
    path: str
    """With `{name}` for one segment and `{name*}` for the rest, slashes included."""
    permission: Permission | Access
    """What the caller must hold, in some scope: without it there is no row."""
    summary: str
    handler: Handler | None = None
    """`None`: served by the native edge."""
    operation: Operation | None = None
    """What the native edge does."""
    accepts: tuple[str, ...] = ("application/json",)
    """Media types of the body that a POST to the native edge has."""
    plane: Plane = Plane.DATA
    contract: Contract | None = None
    """Of the admin API's rows."""


def json_reply(value: object, status: int = 200) -> Reply:
    """A value as JSON."""
    return Reply(status=status, body=orjson.dumps(value))


def problem_reply(error: LlmgwError, request_id: str) -> Reply:
    """An error as the admin API has it."""
    document = document_of(error, request_id)
    return Reply(status=document.status, headers=(PROBLEM,), body=msgspec.json.encode(document))


def error_reply(error: GatewayError, dialect: Dialect = Dialect.OPENAI) -> Reply:
    """An error in the client's dialect."""
    headers = (JSON, ("x-should-retry", "false"))
    return Reply(status=error.status, headers=headers, body=_ENCODERS[dialect](error))


_ENCODERS = {
    Dialect.OPENAI: encode_openai,
    Dialect.ANTHROPIC: encode_anthropic,
    Dialect.GEMINI: encode_gemini,
}
_ADMIN_PREFIX = "/api/"
_SCIM_PREFIX = "/scim/"
_GEMINI_PREFIX = "/v1beta/"
_ANTHROPIC_PREFIXES = ("/v1/messages", "/messages")


def dialect_of(path: str, version: str | None) -> Dialect:
    """Whose API a request is of; `version` is its header `anthropic-version`."""
    if path.startswith(_ADMIN_PREFIX):
        return Dialect.ADMIN
    if path.startswith(_SCIM_PREFIX):
        return Dialect.SCIM
    if path.startswith(_GEMINI_PREFIX):
        return Dialect.GEMINI
    if version is not None or path.startswith(_ANTHROPIC_PREFIXES):
        return Dialect.ANTHROPIC
    return Dialect.OPENAI
