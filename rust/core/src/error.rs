//! Every way a request can fail, and what each means to the client and to dispatch.
//!
//! One table ([`Class::row`]) carries the facts; Python's `llmgw.errors` shows the same table and a
//! test compares the two.

use std::borrow::Cow;
use std::fmt;

/// The kind of a failure. The names are those of `llmgw.errors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // each is described by its row
pub enum Class {
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
}

/// What a [`Class`] means: to the client (status, type, code) and to dispatch (the last four).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The class's name, as in `llmgw.errors`.
    pub name: &'static str,
    /// HTTP status sent to the client.
    pub status: u16,
    /// `error.type` in the OpenAI dialect.
    pub kind: &'static str,
    /// `error.code` in the OpenAI dialect.
    pub code: &'static str,
    /// Another attempt within the same model group may succeed.
    pub retry: bool,
    /// The next model group may succeed.
    pub fall_back: bool,
    /// The deployment should rest.
    pub cool_down: bool,
}

const fn row(
    name: &'static str,
    status: u16,
    kind: &'static str,
    code: &'static str,
    dispatch: [bool; 3],
) -> Row {
    Row {
        name,
        status,
        kind,
        code,
        retry: dispatch[0],
        fall_back: dispatch[1],
        cool_down: dispatch[2],
    }
}

const NO: [bool; 3] = [false, false, false];
const INVALID: &str = "invalid_request_error";

impl Class {
    /// All classes, in the order of the table in `docs/architecture.md`.
    pub const ALL: [Class; 30] = [
        Class::InvalidRequest,
        Class::RequestTooLarge,
        Class::HeadersTooLarge,
        Class::UnsupportedMediaType,
        Class::NotSupported,
        Class::Untranslatable,
        Class::NotPriced,
        Class::GuardrailBlocked,
        Class::Unauthenticated,
        Class::PermissionDenied,
        Class::RegionDenied,
        Class::NotFound,
        Class::ModelNotFound,
        Class::PreviousResponseNotFound,
        Class::MethodNotAllowed,
        Class::RequestTimeout,
        Class::RateLimited,
        Class::BudgetExceeded,
        Class::UpstreamTimeout,
        Class::UpstreamUnreachable,
        Class::UpstreamRateLimited,
        Class::UpstreamOverloaded,
        Class::UpstreamAuth,
        Class::UpstreamRejected,
        Class::ContextWindowExceeded,
        Class::UpstreamProtocol,
        Class::NoDeployment,
        Class::LedgerFull,
        Class::Draining,
        Class::InternalError,
    ];

    /// The facts of this class.
    #[must_use]
    pub const fn row(self) -> Row {
        match self {
            Class::InvalidRequest => row("InvalidRequest", 400, INVALID, "invalid_request", NO),
            Class::RequestTooLarge => row("RequestTooLarge", 413, INVALID, "request_too_large", NO),
            Class::HeadersTooLarge => row("HeadersTooLarge", 431, INVALID, "headers_too_large", NO),
            Class::UnsupportedMediaType => {
                row("UnsupportedMediaType", 415, INVALID, "unsupported_media_type", NO)
            }
            Class::NotSupported => {
                row("NotSupported", 400, INVALID, "unsupported", [false, true, false])
            }
            Class::Untranslatable => {
                row("Untranslatable", 422, INVALID, "unsupported_field", [false, true, false])
            }
            Class::NotPriced => {
                row("NotPriced", 400, INVALID, "model_not_priced", [false, true, false])
            }
            Class::GuardrailBlocked => row("GuardrailBlocked", 400, INVALID, "content_filter", NO),
            Class::Unauthenticated => {
                row("Unauthenticated", 401, "authentication_error", "invalid_api_key", NO)
            }
            Class::PermissionDenied => {
                row("PermissionDenied", 403, "permission_error", "permission_denied", NO)
            }
            Class::RegionDenied => row(
                "RegionDenied",
                403,
                "permission_error",
                "region_not_allowed",
                [false, true, false],
            ),
            Class::NotFound => row("NotFound", 404, "not_found_error", "not_found", NO),
            Class::ModelNotFound => {
                row("ModelNotFound", 404, "not_found_error", "model_not_found", NO)
            }
            Class::PreviousResponseNotFound => {
                row("PreviousResponseNotFound", 400, INVALID, "previous_response_not_found", NO)
            }
            Class::MethodNotAllowed => {
                row("MethodNotAllowed", 405, INVALID, "method_not_allowed", NO)
            }
            Class::RequestTimeout => row("RequestTimeout", 408, INVALID, "request_timeout", NO),
            Class::RateLimited => {
                row("RateLimited", 429, "rate_limit_error", "rate_limit_exceeded", NO)
            }
            Class::BudgetExceeded => {
                row("BudgetExceeded", 429, "insufficient_quota", "budget_exceeded", NO)
            }
            Class::UpstreamTimeout => {
                row("UpstreamTimeout", 504, "api_error", "upstream_timeout", [true, true, true])
            }
            Class::UpstreamUnreachable => row(
                "UpstreamUnreachable",
                502,
                "api_error",
                "upstream_unreachable",
                [true, true, true],
            ),
            Class::UpstreamRateLimited => row(
                "UpstreamRateLimited",
                429,
                "rate_limit_error",
                "upstream_rate_limited",
                [true, true, true],
            ),
            Class::UpstreamOverloaded => row(
                "UpstreamOverloaded",
                503,
                "api_error",
                "upstream_overloaded",
                [true, true, true],
            ),
            Class::UpstreamAuth => {
                row("UpstreamAuth", 502, "api_error", "upstream_credential", [false, true, true])
            }
            Class::UpstreamRejected => {
                row("UpstreamRejected", 400, INVALID, "upstream_rejected", NO)
            }
            Class::ContextWindowExceeded => row(
                "ContextWindowExceeded",
                400,
                INVALID,
                "context_length_exceeded",
                [false, true, false],
            ),
            Class::UpstreamProtocol => {
                row("UpstreamProtocol", 502, "api_error", "upstream_protocol", [true, true, false])
            }
            Class::NoDeployment => row(
                "NoDeployment",
                503,
                "api_error",
                "no_deployment_available",
                [false, true, false],
            ),
            Class::LedgerFull => row("LedgerFull", 503, "api_error", "ledger_full", NO),
            Class::Draining => row("Draining", 503, "api_error", "shutting_down", NO),
            Class::InternalError => row("InternalError", 500, "api_error", "internal_error", NO),
        }
    }
}

/// A failure on its way to the client: its class, a message fit for the client's eyes, the parameter at fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// What kind of failure.
    pub class: Class,
    /// What was wrong, where, and what to do. Never holds a key or a prompt.
    pub message: String,
    /// The request's field at fault (`error.param`).
    pub param: Option<Cow<'static, str>>,
    /// Seconds after which another try may succeed.
    pub retry_after: Option<f64>,
}

/// The core's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure without a parameter.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Error { class, message: message.into(), param: None, retry_after: None }
    }

    /// The same failure, blaming a field of the request.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<Cow<'static, str>>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// The same failure, with the time after which a retry makes sense.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: f64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The body in the OpenAI dialect: `{"error":{"message","type","param","code"}}`.
    #[must_use]
    pub fn to_openai_json(&self) -> Vec<u8> {
        let row = self.class.row();
        let body = serde_json::json!({
            "error": {"message": self.message, "type": row.kind, "param": self.param, "code": row.code}
        });
        body.to_string().into_bytes()
    }

    /// The body as the admin API has errors: a problem of RFC 9457.
    #[must_use]
    pub fn to_problem_json(&self, request_id: &str) -> Vec<u8> {
        let row = self.class.row();
        let body = serde_json::json!({
            "type": format!("urn:llmgw:problem:{}", row.code.replace('_', "-")),
            "title": crate::http1::reason(row.status),
            "status": row.status,
            "detail": self.message,
            "request_id": request_id,
        });
        body.to_string().into_bytes()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class.row().name, self.message)
    }
}

impl std::error::Error for Error {}
