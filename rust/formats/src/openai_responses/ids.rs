//! Ids of responses and their items: made from the request's id, so that the same request has the same.

/// How much of a request's id is taken: OpenAI's own ids have at most 64 characters.
const LONGEST: usize = 48;

/// Makes the ids of one response.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    stem: String,
}

impl Ids {
    pub(super) fn new(request_id: &str) -> Self {
        let id = request_id.strip_prefix("req_").unwrap_or(request_id);
        let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        Ids { stem: id.chars().filter(allowed).take(LONGEST).collect() }
    }

    /// The response's id: the provider's if it is one of this format.
    pub(super) fn response(&self, given: &str) -> String {
        if given.starts_with("resp_") { given.to_owned() } else { ["resp_", &self.stem].concat() }
    }

    /// The id of the output item at `index`; `prefix` tells its type (`msg`, `rs`, `fc`, …).
    pub(super) fn item(&self, prefix: &str, index: usize) -> String {
        format!("{prefix}_{}_{index}", self.stem)
    }
}

/// The most characters that OpenAI takes for the id of a call, or of an end user.
const LONGEST_GIVEN: usize = 64;

/// An id of somebody else's as OpenAI takes it. The same id always gives the same, so that a call and its
/// result stay together.
pub(super) fn shortened(id: &str) -> std::borrow::Cow<'_, str> {
    if id.chars().count() <= LONGEST_GIVEN {
        return id.into();
    }
    // FNV-1a: stable from release to release, which is all that is asked of it.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let kept: String = id.chars().take(LONGEST_GIVEN - 17).collect();
    format!("{kept}_{hash:016x}").into()
}
