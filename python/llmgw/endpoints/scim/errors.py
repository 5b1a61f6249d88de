"""Errors as SCIM tells them (RFC 7644 §3.12)."""

import msgspec

from llmgw.endpoints.base import Reply
from llmgw.endpoints.problems import Problem, of_store
from llmgw.errors import GatewayError, LlmgwError
from llmgw.store.errors import Conflict, Missing, Stale, StoreError, StoreUnavailable
from llmgw.store.noun import Refused

MEDIA_TYPE = ("content-type", "application/scim+json")
_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(LlmgwError):
    """A request that cannot be done: its status, and SCIM's word for why, if it has one."""

    def __init__(self, status: int, detail: str, kind: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind


def bad_filter(detail: str) -> ScimError:
    """The filter is not understood."""
    return ScimError(400, detail, "invalidFilter")


def bad_value(detail: str) -> ScimError:
    """A value is missing, or is none of its kind."""
    return ScimError(400, detail, "invalidValue")


def bad_path(detail: str) -> ScimError:
    """A path of a PATCH is not understood."""
    return ScimError(400, detail, "invalidPath")


def error_reply(error: LlmgwError) -> Reply:
    """The reply that tells of any error."""
    status, kind, detail = _told(error)
    body: dict[str, object] = {"schemas": [_SCHEMA], "status": str(status), "detail": detail}
    if kind is not None:
        body["scimType"] = kind
    return Reply(status=status, headers=(MEDIA_TYPE,), body=msgspec.json.encode(body))


def _told(error: LlmgwError) -> tuple[int, str | None, str]:
    """Status, SCIM's word, and the sentence."""
    if isinstance(error, ScimError):
        return error.status, error.kind, str(error)
    for kind, status, word, sentence in _OF_STORE:
        if isinstance(error, kind):
            return status, word, sentence or str(error)
    told = of_store(error) if isinstance(error, StoreError) else error
    if isinstance(told, Problem):
        return told.kind.status, None, str(told)
    if isinstance(told, GatewayError):
        return told.status, None, str(told)
    return 500, None, "Something went wrong; the log has the details."


_OF_STORE: tuple[tuple[type[StoreError], int, str | None, str | None], ...] = (
    (Conflict, 409, "uniqueness", "It is there already, or something still belongs to it."),
    (Missing, 404, None, None),
    (Stale, 412, None, None),
    (Refused, 400, "mutability", None),
    (StoreUnavailable, 503, None, "The database cannot be used now."),
)
"""What the store says to what the client is told; `None`: in its own words."""
