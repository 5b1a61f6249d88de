//! An admitted request, and its body as each deployment needs it.

use crate::access::Route;
use crate::cache::CacheKey;
use crate::caller::Caller;
use crate::error::{Class, Error, Result};
use crate::json::{self, Object};
use crate::limits::Held;
use crate::metrics::Labels;
use crate::plan::{Key, Plan};
use crate::responses::previous::Past;
use crate::snapshot::Operation;
use bytes::Bytes;
use llmgw_formats::signature;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Characters of an end user's name that are kept.
const MOST_USER: usize = 128;

/// Who was let in, where to, and under which rules: what every admitted request has.
pub struct Ticket {
    /// The configuration it runs under to its end.
    pub plan: Arc<Plan>,
    /// Whose key it shows.
    pub key: Arc<Key>,
    /// Who sends it.
    pub caller: Caller,
    /// Which endpoint.
    pub operation: Operation,
    /// The model group asked for.
    pub group: usize,
    /// The model group that it asked for, if a budget sent it to another one.
    pub downgraded: Option<usize>,
    /// What it has taken of limits and budgets.
    pub held: Held,
}

impl Ticket {
    /// The public model name in metrics: the group's, so that clients cannot invent labels.
    #[must_use]
    pub fn model_label(&self) -> &str {
        &self.plan.groups[self.group].name
    }

    /// What a request is filed under that ended with this status, at that deployment if at any.
    #[must_use]
    pub fn labels(&self, deployment: Option<usize>, status: u16) -> Labels<'_> {
        let deployment = deployment.and_then(|index| self.plan.deployments.get(index));
        Labels {
            endpoint: self.operation.name(),
            model: self.model_label(),
            provider: deployment.map_or("", |one| &one.provider),
            deployment: deployment.map_or("", |one| &one.id),
            key: &self.key.alias,
            status,
        }
    }
}

/// A request that goes on to dispatch.
pub struct Call {
    /// Who and where to.
    pub ticket: Ticket,
    /// The client's word for the model.
    pub asked: String,
    /// What the client's model name matched of a wildcard (else the name).
    pub matched: String,
    /// The body as received.
    pub body: Bytes,
    /// Where in it the fields lie that dispatch changes.
    pub fields: Fields,
    /// Input tokens, counted.
    pub input_tokens: u64,
    /// Output that the client allows.
    pub allowed: Allowed,
    /// Where the reply is cached, if it may be.
    pub cache_key: Option<CacheKey>,
    /// The model, where the path named it.
    pub path_model: Option<String>,
    /// The stream is to be one JSON array.
    pub array: bool,
    /// Nothing may be left out when the request is translated.
    pub strict: bool,
    /// What the request goes on from.
    pub past: Past,
    /// A deployment that sees the files which the request names, if it names some.
    pub files_at: Option<usize>,
    /// Whether the reply is kept.
    pub keep: Keep,
}

/// Whether a reply is to be kept, so that its client may ask for it again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep {
    /// It is not, or not by us.
    #[default]
    No,
    /// It is, as always when nothing is said.
    ByDefault,
    /// It is: the client says so.
    Asked,
}

impl Keep {
    /// What a request wants, under this configuration.
    #[must_use]
    pub fn of(plan: &Plan, operation: Operation, body: &[u8], object: &Object) -> Self {
        if operation != Operation::Responses || plan.responses.is_none() {
            return Keep::No;
        }
        match object.get(body, "store").map(|range| &body[range]) {
            None | Some(b"null") => Keep::ByDefault,
            Some(b"true") => Keep::Asked,
            Some(_) => Keep::No,
        }
    }

    /// Whether it is to be kept.
    #[must_use]
    pub fn is_wanted(self) -> bool {
        self != Keep::No
    }
}

impl Deref for Call {
    type Target = Ticket;

    fn deref(&self) -> &Ticket {
        &self.ticket
    }
}

/// Where in the body the fields lie that dispatch changes.
pub struct Fields {
    model: Option<Range<usize>>,
    /// The format has the model in its path, and no place for it in the body.
    in_path: bool,
    stream: bool,
    stream_options: Option<Range<usize>>,
    /// For whom the client asks.
    user: Option<Range<usize>>,
    wants_usage: bool,
    end: usize,
    empty: bool,
}

impl Fields {
    /// Of a body that is no JSON.
    #[must_use]
    pub fn none() -> Self {
        Fields {
            model: None,
            in_path: false,
            stream: false,
            stream_options: None,
            user: None,
            wants_usage: false,
            end: 0,
            empty: true,
        }
    }
}

impl Call {
    /// Whether the client asked for a stream.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.fields.stream
    }

    /// For whom the client says it asks, as much of that as is kept.
    #[must_use]
    pub fn end_user(&self) -> Option<String> {
        let mut name = text_of(&self.body[self.fields.user.clone()?])?;
        if let Some((end, _)) = name.char_indices().nth(MOST_USER) {
            name.truncate(end);
        }
        Some(name).filter(|name| !name.is_empty())
    }

    /// Whether it has to be read and written anew even for an upstream of its own dialect: it holds the
    /// proof of another provider's thought, which nobody else may see, or items of our own making, or its
    /// reply is framed otherwise.
    #[must_use]
    pub fn is_mixed(&self) -> bool {
        let google = || memchr::memmem::find(&self.body, b"\"extra_content\"").is_some();
        let proofs = signature::is_among(&self.body)
            || (self.operation == Operation::ChatCompletions && google());
        self.array || self.past == Past::Joined || (self.operation.is_chat() && proofs)
    }

    /// The body for a deployment: the routed model in place, usage asked for. The second value says
    /// whether usage was asked for on our own account and has to be hidden from the client.
    #[must_use]
    pub fn body_for(&self, model: &str, stream_usage: bool) -> (Bytes, bool) {
        let mut edits = Vec::with_capacity(2);
        let model = json::quote(model);
        match &self.fields.model {
            _ if self.fields.in_path => {}
            Some(range) if self.body[range.clone()] != model[..] => {
                edits.push((range.clone(), model))
            }
            Some(_) => {}
            None => edits.push(self.added("\"model\":", &model)),
        }
        let asks = stream_usage
            && self.fields.stream
            && !self.fields.wants_usage
            && matches!(self.operation, Operation::ChatCompletions | Operation::Completions);
        if asks {
            edits.push(self.usage_edit());
        }
        if edits.is_empty() {
            return (self.body.clone(), false);
        }
        edits.sort_by_key(|(range, _)| range.start);
        (json::splice(&self.body, &edits).into(), asks)
    }

    /// A member put before the object's closing brace.
    fn added(&self, name: &str, value: &[u8]) -> (Range<usize>, Vec<u8>) {
        let comma = if self.fields.empty { "" } else { "," };
        let text = [comma.as_bytes(), name.as_bytes(), value].concat();
        (self.fields.end..self.fields.end, text)
    }

    fn usage_edit(&self) -> (Range<usize>, Vec<u8>) {
        const ASK: &[u8] = b"{\"include_usage\":true}";
        let Some(range) = self.fields.stream_options.clone() else {
            return self.added("\"stream_options\":", ASK);
        };
        let old = &self.body[range.clone()];
        let inside = old.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
        match inside.map(<[u8]>::trim_ascii).filter(|inside| !inside.is_empty()) {
            None => (range, ASK.to_vec()),
            Some(_) => match json::find_member(old, "include_usage") {
                Some(field) => {
                    let at = range.start + field.value.start..range.start + field.value.end;
                    (at, b"true".to_vec())
                }
                None => (range.start + 1..range.start + 1, b"\"include_usage\":true,".to_vec()),
            },
        }
    }
}

/// The model's name and the fields that dispatch needs.
///
/// # Errors
/// `InvalidRequest`, naming the field that is missing or of the wrong type.
pub fn read_fields(body: &[u8], object: &Object, route: &Route) -> Result<(String, Fields)> {
    let model = object.get(body, "model");
    let in_path = route.operation.has_model_in_path();
    let name = match (&route.model, &model) {
        (Some(name), _) => name.clone(),
        (None, Some(range)) => text_of(&body[range.clone()])
            .ok_or_else(|| invalid("The field `model` must be a string.", "model"))?,
        (None, None) => return Err(invalid("The field `model` is missing.", "model")),
    };
    let stream = match object.get(body, "stream").map(|range| &body[range]) {
        _ if in_path => route.stream,
        Some(b"true") => true,
        None | Some(b"false" | b"null") => false,
        Some(_) => return Err(invalid("The field `stream` must be true or false.", "stream")),
    };
    let stream_options = object.get(body, "stream_options");
    let wants_usage = stream_options.clone().is_some_and(|range| {
        let options = &body[range];
        json::find_member(options, "include_usage")
            .is_some_and(|field| &options[field.value] == b"true")
    });
    let user = end_user(body, object);
    let (end, empty) = (object.end, object.fields.is_empty());
    Ok((name, Fields { model, in_path, stream, stream_options, user, wants_usage, end, empty }))
}

/// Where a request says for whom it is: by OpenAI's names, or by Anthropic's.
fn end_user(body: &[u8], object: &Object) -> Option<Range<usize>> {
    let names = ["user", "safety_identifier"];
    names.iter().find_map(|name| object.get(body, name)).or_else(|| {
        let metadata = object.get(body, "metadata")?;
        let field = json::find_member(&body[metadata.clone()], "user_id")?;
        Some(metadata.start + field.value.start..metadata.start + field.value.end)
    })
}

/// The model that a body names, if it does.
#[must_use]
pub fn model_named(body: &[u8]) -> Option<String> {
    text_of(&body[json::find_member(body, "model")?.value])
}

/// Anthropic's body as Google Cloud takes it: its version is told in the body, and messages name their
/// model in the path alone.
#[must_use]
pub fn for_vertex(body: &[u8], operation: Operation) -> Bytes {
    const VERSION: &[u8] = b"\"anthropic_version\":\"vertex-2023-10-16\"";
    let model = json::find_member(body, "model").filter(|_| operation == Operation::Messages);
    let edit = match (model, memchr::memchr(b'{', body)) {
        (Some(model), _) => (model.member, VERSION.to_vec()),
        (None, Some(brace)) => (brace + 1..brace + 1, [VERSION, b","].concat()),
        (None, None) => return Bytes::copy_from_slice(body),
    };
    json::splice(body, &[edit]).into()
}

fn invalid(message: &str, param: &'static str) -> Error {
    Error::new(Class::InvalidRequest, message).with_param(param)
}

fn text_of(value: &[u8]) -> Option<String> {
    let inside = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut decoded = Vec::with_capacity(inside.len());
    json::unescape(inside, &mut decoded);
    String::from_utf8(decoded).ok()
}

/// What a client allows of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Tokens of each choice, if it says.
    pub tokens: Option<u64>,
    /// Choices.
    pub choices: u64,
}

/// More output than that is taken for a mistake.
const MOST_OUTPUT: u64 = 1 << 32;

impl Allowed {
    /// One choice, of which nothing is said.
    pub const UNSAID: Allowed = Allowed { tokens: None, choices: 1 };

    /// What the request says.
    #[must_use]
    pub fn of(body: &[u8], object: &Object) -> Self {
        let member = |name: &str| number(&body[object.get(body, name)?]);
        let names = ["max_completion_tokens", "max_tokens", "max_output_tokens"];
        let said = names.iter().find_map(|name| member(name)).map(|tokens| (tokens, member("n")));
        let (tokens, choices) = match said.or_else(|| gemini_ceiling(body, object)) {
            Some((tokens, choices)) => (Some(tokens), choices),
            None => (None, member("n")),
        };
        Allowed { tokens, choices: choices.unwrap_or(1).clamp(1, 128) }
    }

    /// Tokens over all choices; 0 if it does not say.
    #[must_use]
    pub fn said(self) -> u64 {
        self.at_most(None).unwrap_or(0)
    }

    /// Tokens over all choices, of a model that writes no more than so many for each, if that is known.
    #[must_use]
    pub fn at_most(self, model: Option<u64>) -> Option<u64> {
        let each = match (self.tokens, model) {
            (Some(tokens), Some(most)) => tokens.min(most),
            (one, other) => one.or(other)?,
        };
        Some(each.saturating_mul(self.choices).min(MOST_OUTPUT))
    }
}

/// The same of a request of Gemini's: tokens, and candidates if it says how many.
fn gemini_ceiling(body: &[u8], object: &Object) -> Option<(u64, Option<u64>)> {
    let names = ["generationConfig", "generation_config"];
    let config = &body[names.iter().find_map(|name| object.get(body, name))?];
    let either = |names: [&str; 2]| {
        let field = names.iter().find_map(|name| json::find_member(config, name))?;
        number(&config[field.value])
    };
    let tokens = either(["maxOutputTokens", "max_output_tokens"])?;
    Some((tokens, either(["candidateCount", "candidate_count"])))
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
