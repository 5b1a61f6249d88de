"""Every way a request can fail, and what each means to the client and to dispatch.

The tree, and the table of `docs/architecture.md`; the native core holds the same table and a test
compares the two::

    LlmgwError                      anything that is our own; never raised itself
    ├── SettingsError               the configuration cannot be used (llmgw.settings.problems)
    ├── StateError                  the state folder cannot be used (llmgw.state)
    └── GatewayError                a request fails
        ├── InvalidRequest · RequestTooLarge · HeadersTooLarge · UnsupportedMediaType · NotSupported
        ├── NotPriced · GuardrailBlocked
        ├── Unauthenticated · PermissionDenied · RegionDenied
        ├── NotFound · ModelNotFound · PreviousResponseNotFound · MethodNotAllowed
        ├── RequestTimeout
        ├── RateLimited · BudgetExceeded
        ├── UpstreamTimeout · UpstreamUnreachable · UpstreamRateLimited · UpstreamOverloaded
        │   UpstreamAuth · UpstreamRejected · ContextWindowExceeded · UpstreamProtocol
        ├── NoDeployment · LedgerFull · Draining
        └── InternalError
"""

from typing import ClassVar

import msgspec


class LlmgwError(Exception):
    """Anything that llmgw itself raises; its text is fit for the operator's eyes."""


class GatewayError(LlmgwError):
    """A request fails; each subclass carries its row of the table.

    `message` says what was wrong, where, and what to do, and never holds a key or a prompt. `param`
    names the request's field at fault; `retry_after` is in seconds.
    """

    status: ClassVar[int]
    type: ClassVar[str]
    code: ClassVar[str]
    retry: ClassVar[bool] = False
    fall_back: ClassVar[bool] = False
    cool_down: ClassVar[bool] = False

    def __init__(self, message: str, *, param: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after


class InvalidRequest(GatewayError):
    """The request is not what the endpoint takes."""

    status, type, code = 400, "invalid_request_error", "invalid_request"


class RequestTooLarge(GatewayError):
    """The body or the headers exceed a limit."""

    status, type, code = 413, "invalid_request_error", "request_too_large"


class HeadersTooLarge(GatewayError):
    """The request's head exceeds the limit."""

    status, type, code = 431, "invalid_request_error", "headers_too_large"


class UnsupportedMediaType(GatewayError):
    """The body's content type or coding is not taken."""

    status, type, code = 415, "invalid_request_error", "unsupported_media_type"


class NotSupported(GatewayError):
    """The deployment cannot do what is asked; another group may."""

    status, type, code = 400, "invalid_request_error", "unsupported"
    fall_back = True


class Untranslatable(GatewayError):
    """The upstream's dialect cannot carry a field of the request, and the client asked for all or nothing."""

    status = 422
    type = "invalid_request_error"
    code = "unsupported_field"
    fall_back = True


class NotPriced(GatewayError):
    """Nothing is known of what the model costs, and such models are not to be used; another group may do."""

    status, type, code = 400, "invalid_request_error", "model_not_priced"
    fall_back = True


class GuardrailBlocked(GatewayError):
    """A guardrail refuses the text."""

    status, type, code = 400, "invalid_request_error", "content_filter"


class Unauthenticated(GatewayError):
    """No virtual key, or one that is unknown, expired or mistyped."""

    status, type, code = 401, "authentication_error", "invalid_api_key"


class PermissionDenied(GatewayError):
    """The key is known and may not do this."""

    status, type, code = 403, "permission_error", "permission_denied"


class RegionDenied(GatewayError):
    """What was asked for is in no region that the key may use."""

    status, type, code = 403, "permission_error", "region_not_allowed"
    fall_back = True


class NotFound(GatewayError):
    """No such path or object."""

    status, type, code = 404, "not_found_error", "not_found"


class ModelNotFound(GatewayError):
    """No model group of this name."""

    status, type, code = 404, "not_found_error", "model_not_found"


class PreviousResponseNotFound(GatewayError):
    """No response of this id that the key may go on from."""

    status, type, code = 400, "invalid_request_error", "previous_response_not_found"


class MethodNotAllowed(GatewayError):
    """The path exists, for another method."""

    status, type, code = 405, "invalid_request_error", "method_not_allowed"


class RequestTimeout(GatewayError):
    """The client did not finish its request in time."""

    status, type, code = 408, "invalid_request_error", "request_timeout"


class RateLimited(GatewayError):
    """The key's own rate is used up; `retry_after` says until when."""

    status, type, code = 429, "rate_limit_error", "rate_limit_exceeded"


class BudgetExceeded(GatewayError):
    """The key's budget is used up."""

    status, type, code = 429, "insufficient_quota", "budget_exceeded"


class UpstreamTimeout(GatewayError):
    """The upstream did not answer in time."""

    status, type, code = 504, "api_error", "upstream_timeout"
    retry = fall_back = cool_down = True


class UpstreamUnreachable(GatewayError):
    """No connection to the upstream."""

    status, type, code = 502, "api_error", "upstream_unreachable"
    retry = fall_back = cool_down = True


class UpstreamRateLimited(GatewayError):
    """The upstream limits us; another deployment may serve."""

    status, type, code = 429, "rate_limit_error", "upstream_rate_limited"
    retry = fall_back = cool_down = True


class UpstreamOverloaded(GatewayError):
    """The upstream answers 5xx."""

    status, type, code = 503, "api_error", "upstream_overloaded"
    retry = fall_back = cool_down = True


class UpstreamAuth(GatewayError):
    """The upstream refuses our credential."""

    status, type, code = 502, "api_error", "upstream_credential"
    fall_back = cool_down = True


class UpstreamRejected(GatewayError):
    """The upstream refuses the request itself; its status and code are passed on as sent."""

    status, type, code = 400, "invalid_request_error", "upstream_rejected"


class ContextWindowExceeded(GatewayError):
    """The prompt is too long for the model; a larger one may take it."""

    status, type, code = 400, "invalid_request_error", "context_length_exceeded"
    fall_back = True


class UpstreamProtocol(GatewayError):
    """The upstream's reply cannot be understood."""

    status, type, code = 502, "api_error", "upstream_protocol"
    retry = fall_back = True


class NoDeployment(GatewayError):
    """Every deployment of the group rests."""

    status, type, code = 503, "api_error", "no_deployment_available"
    fall_back = True


class LedgerFull(GatewayError):
    """The ledger takes no more records, and what cannot be written down is not sent."""

    status, type, code = 503, "api_error", "ledger_full"


class Draining(GatewayError):
    """The gateway is shutting down."""

    status, type, code = 503, "api_error", "shutting_down"


class InternalError(GatewayError):
    """A fault of ours; details stand only in the log, by request id."""

    status, type, code = 500, "api_error", "internal_error"


TABLE: tuple[type[GatewayError], ...] = (
    InvalidRequest,
    RequestTooLarge,
    HeadersTooLarge,
    UnsupportedMediaType,
    NotSupported,
    Untranslatable,
    NotPriced,
    GuardrailBlocked,
    Unauthenticated,
    PermissionDenied,
    RegionDenied,
    NotFound,
    ModelNotFound,
    PreviousResponseNotFound,
    MethodNotAllowed,
    RequestTimeout,
    RateLimited,
    BudgetExceeded,
    UpstreamTimeout,
    UpstreamUnreachable,
    UpstreamRateLimited,
    UpstreamOverloaded,
    UpstreamAuth,
    UpstreamRejected,
    ContextWindowExceeded,
    UpstreamProtocol,
    NoDeployment,
    LedgerFull,
    Draining,
    InternalError,
)
"""Every class, in the order of the native table."""


def encode_openai(error: GatewayError) -> bytes:
    """The body in the OpenAI dialect: `{"error": {"message", "type", "param", "code"}}`."""
    fields = {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.code,
    }
    return msgspec.json.encode({"error": fields})


_ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_GEMINI_STATUSES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    504: "DEADLINE_EXCEEDED",
}
_SERVER_ERRORS = 500


def encode_anthropic(error: GatewayError) -> bytes:
    """The body in Anthropic's dialect: `{"type": "error", "error": {"type", "message"}}`."""
    others = "api_error" if error.status >= _SERVER_ERRORS else "invalid_request_error"
    fields = {"type": _ANTHROPIC_TYPES.get(error.status, others), "message": error.message}
    return msgspec.json.encode({"type": "error", "error": fields})


def encode_gemini(error: GatewayError) -> bytes:
    """The body in Gemini's dialect: `{"error": {"code", "message", "status"}}`, as Google's APIs have it."""
    others = "UNAVAILABLE" if error.status >= _SERVER_ERRORS else "INVALID_ARGUMENT"
    fields = {
        "code": error.status,
        "message": error.message,
        "status": _GEMINI_STATUSES.get(error.status, others),
    }
    return msgspec.json.encode({"error": fields})
