//! A failure in a provider's words.

use super::Text;
use std::borrow::Cow;

/// A failure in a provider's words.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure<'a> {
    /// HTTP status (of an error in a stream: the one it would have had).
    pub status: u16,
    /// What kind.
    pub kind: FailureKind,
    /// What went wrong, in words.
    pub message: Text<'a>,
    /// The provider's code.
    pub code: Option<Text<'a>>,
    /// The field at fault.
    pub param: Option<Text<'a>>,
}

impl Failure<'_> {
    /// The failure apart from the text that it was read from.
    #[must_use]
    pub fn detached(&self) -> Failure<'static> {
        let own = |text: &Text<'_>| Cow::Owned(text.clone().into_owned());
        Failure {
            status: self.status,
            kind: self.kind,
            message: own(&self.message),
            code: self.code.as_ref().map(own),
            param: self.param.as_ref().map(own),
        }
    }
}

/// The kinds of failure that all formats tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The request is wrong.
    InvalidRequest,
    /// The prompt does not fit the model's context.
    ContextLength,
    /// The provider's policy refuses it.
    ContentFilter,
    /// No credential, or a wrong one.
    Authentication,
    /// The credential may not do this.
    Permission,
    /// No such model or object.
    NotFound,
    /// Too large to be read.
    TooLarge,
    /// Too many requests or tokens.
    RateLimit,
    /// The account has no money left.
    Quota,
    /// Too much load at the provider.
    Overloaded,
    /// It took too long.
    Timeout,
    /// Anything else that is the provider's fault.
    Server,
}
