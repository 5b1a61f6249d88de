//! Which kind of failure an error of OpenAI's is, and what OpenAI calls each kind.

use crate::chat::{Failure, FailureKind};

/// The kind, from the most telling sign to the least: code, type, words, status.
pub(super) fn kind_of(status: u16, code: &str, type_name: &str, message: &str) -> FailureKind {
    if let Some(kind) = by_word(code).or_else(|| by_word(type_name)) {
        return refine(kind, message);
    }
    let status = code.parse().ok().filter(|_| status == 0).unwrap_or(status);
    refine(by_status(status), message)
}

/// The kind that a code or a type stands for; `None` for those that say no more than the status.
fn by_word(word: &str) -> Option<FailureKind> {
    use FailureKind as Kind;
    Some(match word {
        "context_length_exceeded" | "exceed_context_size_error" | "context_too_large" => {
            Kind::ContextLength
        }
        "content_filter"
        | "content_policy_violation"
        | "ResponsibleAIPolicyViolation"
        | "moderation_blocked"
        | "bio_policy"
        | "misalignment_policy_violation"
        | "image_content_policy_violation"
        | "cyber_policy" => Kind::ContentFilter,
        "invalid_api_key"
        | "authentication_error"
        | "invalid_authentication"
        | "account_deactivated" => Kind::Authentication,
        "permission_error"
        | "permission_denied"
        | "unsupported_country_region_territory"
        | "data_residency_mismatch" => Kind::Permission,
        "model_not_found" | "not_found_error" | "not_found" | "DeploymentNotFound" => {
            Kind::NotFound
        }
        "request_too_large" => Kind::TooLarge,
        "insufficient_quota"
        | "billing_hard_limit_reached"
        | "billing_not_active"
        | "billing_error"
        | "usage_limit_reached" => Kind::Quota,
        "rate_limit_exceeded" | "rate_limit_error" | "requests" | "tokens" => Kind::RateLimit,
        "overloaded_error" | "server_is_overloaded" | "slow_down" | "engine_overloaded" => {
            Kind::Overloaded
        }
        "timeout" | "timeout_error" | "request_timeout" => Kind::Timeout,
        "server_error"
        | "internal_error"
        | "internal_server_error"
        | "vector_store_timeout"
        | "api_error" => Kind::Server,
        "invalid_prompt"
        | "invalid_image"
        | "invalid_image_url"
        | "string_above_max_length"
        | "unsupported_parameter"
        | "unsupported_value"
        | "invalid_value"
        | "missing_required_parameter" => Kind::InvalidRequest,
        _ => return None,
    })
}

/// The kind that a status stands for; errors without one are the provider's fault.
pub(super) fn by_status(status: u16) -> FailureKind {
    match status {
        401 => FailureKind::Authentication,
        402 => FailureKind::Quota,
        403 => FailureKind::Permission,
        404 => FailureKind::NotFound,
        408 | 504 => FailureKind::Timeout,
        413 => FailureKind::TooLarge,
        429 => FailureKind::RateLimit,
        503 | 529 => FailureKind::Overloaded,
        400..=499 => FailureKind::InvalidRequest,
        _ => FailureKind::Server,
    }
}

/// How hosts say in words that a prompt is too long, in lower case.
const TOO_LONG: [&str; 8] = [
    "maximum context length",
    "context length",
    "context window",
    "maximum prompt length",
    "prompt is too long",
    "input is too long",
    "too many input tokens",
    "exceeds the maximum number of tokens",
];

/// How they say that a prompt offends, in lower case.
const OFFENDS: [&str; 3] = ["usage policy", "content management policy", "safety system"];

/// How they say that there is no money left, in lower case.
const UNPAID: [&str; 3] = ["exceeded your current quota", "credit balance", "insufficient balance"];

/// Looks into the words where codes and statuses say too little.
fn refine(kind: FailureKind, message: &str) -> FailureKind {
    let says = |signs: &[&str]| {
        let mut text = super::first(message, 1000).to_owned();
        text.make_ascii_lowercase();
        signs.iter().any(|sign| text.contains(sign))
    };
    match kind {
        FailureKind::InvalidRequest | FailureKind::TooLarge if says(&TOO_LONG) => {
            FailureKind::ContextLength
        }
        FailureKind::InvalidRequest if says(&OFFENDS) => FailureKind::ContentFilter,
        FailureKind::InvalidRequest | FailureKind::RateLimit if says(&UNPAID) => FailureKind::Quota,
        _ => kind,
    }
}

/// The HTTP status that errors of a kind have at OpenAI.
#[must_use]
pub const fn status_of(kind: FailureKind) -> u16 {
    match kind {
        FailureKind::InvalidRequest | FailureKind::ContextLength | FailureKind::ContentFilter => {
            400
        }
        FailureKind::Authentication => 401,
        FailureKind::Permission => 403,
        FailureKind::NotFound => 404,
        FailureKind::TooLarge => 413,
        FailureKind::RateLimit | FailureKind::Quota => 429,
        FailureKind::Overloaded => 503,
        FailureKind::Timeout => 504,
        FailureKind::Server => 500,
    }
}

/// `error.type` of a kind.
#[must_use]
pub const fn type_of(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::InvalidRequest
        | FailureKind::ContextLength
        | FailureKind::ContentFilter
        | FailureKind::TooLarge => "invalid_request_error",
        FailureKind::Authentication => "authentication_error",
        FailureKind::Permission => "permission_error",
        FailureKind::NotFound => "not_found_error",
        FailureKind::RateLimit => "rate_limit_error",
        FailureKind::Quota => "insufficient_quota",
        FailureKind::Timeout => "timeout_error",
        FailureKind::Overloaded | FailureKind::Server => "server_error",
    }
}

/// The gateway's own code for a budget that is used up: the client's with its operator, which is not the
/// account's with its provider.
const BUDGET: &str = "budget_exceeded";

/// `error.code` of a failure: OpenAI's where clients act on it (they retry, compact or stop by it),
/// otherwise the provider's own, otherwise what OpenAI says most often.
#[must_use]
pub fn code_of<'a>(failure: &'a Failure<'_>) -> Option<&'a str> {
    let acted_on = matches!(
        failure.kind,
        FailureKind::ContextLength | FailureKind::Quota | FailureKind::RateLimit
    );
    let own = failure.code.as_deref().filter(|code| !acted_on || *code == BUDGET);
    own.or_else(|| usual_code(failure.kind))
}

/// What OpenAI says most often as `error.code` of a kind.
#[must_use]
pub const fn usual_code(kind: FailureKind) -> Option<&'static str> {
    Some(match kind {
        FailureKind::ContextLength => "context_length_exceeded",
        FailureKind::Quota => "insufficient_quota",
        FailureKind::RateLimit => "rate_limit_exceeded",
        FailureKind::ContentFilter => "content_filter",
        FailureKind::Authentication => "invalid_api_key",
        FailureKind::Permission => "permission_denied",
        FailureKind::NotFound => "not_found",
        FailureKind::TooLarge => "request_too_large",
        FailureKind::Timeout => "timeout",
        FailureKind::Overloaded => "server_is_overloaded",
        FailureKind::Server => "server_error",
        FailureKind::InvalidRequest => return None,
    })
}
