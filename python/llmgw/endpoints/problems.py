"""Problems of RFC 9457: how the admin API says that something cannot be done.

Every kind is one row here; `docs/admin.md` explains each. Failures that the data plane knows too
(`llmgw.errors`) have their code as their kind.
"""

from collections.abc import Sequence
from enum import Enum
from http import HTTPStatus

import msgspec

from llmgw.errors import GatewayError, InternalError, LlmgwError
from llmgw.store.errors import Conflict, Missing, NotWithin, Stale, StoreError, StoreMisfit, StoreUnavailable
from llmgw.store.noun import Refused
from llmgw.store.paging import BadCursor

PROBLEM = ("content-type", "application/problem+json")
PREFIX = "urn:llmgw:problem:"
"""What every `type` begins with."""


class Kind(Enum):
    """The kinds: what ends the type's URI, and the status."""

    INVALID_REQUEST = ("invalid-request", 400)
    """Query, headers or the body's form."""
    UNAUTHENTICATED = ("invalid-api-key", 401)
    PERMISSION_DENIED = ("permission-denied", 403)
    FIELD_NOT_ALLOWED = ("field-not-allowed", 403)
    """The caller may do this, but not with that field."""
    ROLE_NOT_ALLOWED = ("role-not-allowed", 403)
    """A role that the caller does not hold cannot be given or taken."""
    NOT_FOUND = ("not-found", 404)
    CONFLICT = ("conflict", 409)
    STALE = ("precondition-failed", 412)
    """It was changed since the caller read it."""
    UNSUPPORTED_MEDIA_TYPE = ("unsupported-media-type", 415)
    INVALID_BODY = ("invalid-body", 422)
    """The body is JSON, but not what is taken here."""
    BEYOND_PARENT = ("beyond-parent", 422)
    """A child would be granted more than its parent has."""
    KEY_REUSED = ("idempotency-key-reused", 422)
    """The idempotency key stands for another request."""
    PRECONDITION_REQUIRED = ("precondition-required", 428)
    STORE_UNAVAILABLE = ("store-unavailable", 503)
    """The database does not answer."""

    @property
    def slug(self) -> str:
        """The end of the type's URI."""
        return str(self.value[0])

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.value[1])


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one part of a body."""

    pointer: str
    """A JSON pointer (RFC 6901)."""
    detail: str


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of a problem."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] = []
    """What is wrong with which parts of the body."""
    request_id: str | None = None


class Problem(LlmgwError):
    """Something cannot be done, and why: `detail` is for the caller's eyes and holds no secret."""

    def __init__(self, kind: Kind, detail: str, errors: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)


def document_of(error: LlmgwError, request_id: str) -> ProblemDocument:
    """The body that tells of an error: a problem's own, the store's, or a request's that failed."""
    if isinstance(error, StoreError):
        error = of_store(error)
    if isinstance(error, Problem):
        return _document(error.kind.slug, error.kind.status, error.detail, request_id, error.errors)
    if not isinstance(error, GatewayError):
        error = InternalError("Something went wrong; the log has the details.")
    return _document(error.code.replace("_", "-"), error.status, str(error), request_id, [])


def of_store(error: StoreError) -> LlmgwError:
    """The problem that an error of the store is to a caller; one that is none is returned as it is."""
    if isinstance(error, Missing) and error.kind == "place for a":
        detail = "You may make nothing there: name what it belongs to, of what you may change."
        return Problem(Kind.PERMISSION_DENIED, detail)
    if isinstance(error, NotWithin):
        faults = [Fault(f"/{each.partition(':')[0]}", each) for each in error.problems]
        return Problem(Kind.BEYOND_PARENT, "It would be granted more than its parent has.", faults)
    if isinstance(error, Conflict) and str(error).startswith("the database"):
        return Problem(Kind.CONFLICT, "The name is taken, or something still belongs to it.")
    for kind, problem, words in _OF_STORE:
        if isinstance(error, kind):
            return Problem(problem, words or str(error))
    return error


_OF_STORE: tuple[tuple[type[StoreError], Kind, str | None], ...] = (
    (Missing, Kind.NOT_FOUND, None),
    (Conflict, Kind.CONFLICT, None),
    (Stale, Kind.STALE, None),
    (BadCursor, Kind.INVALID_REQUEST, None),
    (Refused, Kind.INVALID_BODY, None),
    (StoreUnavailable, Kind.STORE_UNAVAILABLE, "The database cannot be used now."),
    (StoreMisfit, Kind.STORE_UNAVAILABLE, "The database is not at this version's tables."),
)
"""What the store says to what the caller is told; `None`: in its own words."""


def _document(slug: str, status: int, detail: str, request_id: str, errors: list[Fault]) -> ProblemDocument:
    return ProblemDocument(
        type=PREFIX + slug,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=errors,
        request_id=request_id or None,
    )
