"""What an endpoint is: one row of a table, matched before anything is decided about it."""

from collections.abc import Awaitable, Callable
from enum import Enum

import msgspec
import orjson

from llmgw.errors import GatewayError, encode_openai
from llmgw.model import Operation

JSON = ("content-type", "application/json")


class Access(Enum):
    """Who may call an endpoint."""

    PUBLIC = "public"
    KEY = "key"
    """Any valid key."""
    ADMIN = "admin"
    """The admin key."""


class Principal(msgspec.Struct, frozen=True):
    """Who is calling."""

    alias: str
    admin: bool


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request to the control plane, its endpoint already matched."""

    method: str
    path: str
    parameters: dict[str, str]
    """What the path's placeholders matched."""
    principal: Principal | None
    """`None` on public endpoints."""


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
    access: Access
    summary: str
    handler: Handler | None = None
    """`None`: served by the native edge."""
    operation: Operation | None = None
    """What the native edge does."""
    accepts: tuple[str, ...] = ("application/json",)
    """Media types of the body that a POST to the native edge has."""


def json_reply(value: object, status: int = 200) -> Reply:
    """A value as JSON."""
    return Reply(status=status, body=orjson.dumps(value))


def error_reply(error: GatewayError) -> Reply:
    """An error in the OpenAI dialect."""
    headers = [JSON, ("x-should-retry", "false")]
    return Reply(status=error.status, headers=tuple(headers), body=encode_openai(error))
