//! The `response` object: what it repeats of its request, how it ended, what it cost.

use crate::chat::{Failure, Finish, Request, Usage};
use crate::lost::Lost;
use crate::openai_errors;
use crate::writer::Writer;

/// The members that replies repeat of their request, and what they are if the request lacks them;
/// without a second word they are left out then.
const REPEATED: [(&str, Option<&str>); 23] = [
    ("background", Some("false")),
    ("conversation", None),
    ("instructions", Some("null")),
    ("max_output_tokens", Some("null")),
    ("max_tool_calls", Some("null")),
    ("parallel_tool_calls", Some("true")),
    ("previous_response_id", Some("null")),
    ("prompt", None),
    ("prompt_cache_key", Some("null")),
    ("prompt_cache_options", None),
    ("prompt_cache_retention", None),
    ("reasoning", Some("{\"effort\":null,\"summary\":null}")),
    ("safety_identifier", Some("null")),
    ("store", Some("true")),
    ("temperature", Some("1.0")),
    ("text", Some("{\"format\":{\"type\":\"text\"}}")),
    ("tool_choice", Some("\"auto\"")),
    ("tools", Some("[]")),
    ("top_logprobs", Some("0")),
    ("top_p", Some("1.0")),
    ("truncation", Some("\"disabled\"")),
    ("user", Some("null")),
    ("metadata", Some("{}")),
];

/// What of a response is known from the start.
#[derive(Debug)]
pub(super) struct Shell {
    pub(super) id: String,
    pub(super) model: String,
    /// Unix seconds.
    pub(super) created: u64,
    /// The members that repeat the request, as JSON without the braces.
    repeated: String,
}

impl Shell {
    pub(super) fn new(request: &Request<'_>) -> Self {
        Shell {
            id: String::new(),
            model: request.model.clone().into_owned(),
            created: 0,
            repeated: repeated(request),
        }
    }
}

fn repeated(request: &Request<'_>) -> String {
    let mut w = Writer::new();
    w.object(|w| {
        for (name, default) in REPEATED {
            let given = request.echo.iter().find(|one| one.name == name);
            w.member_if(name, given.map(|one| &*one.value).or(default));
        }
    });
    let text = String::from_utf8(w.finish()).unwrap_or_default();
    text[1..text.len().saturating_sub(1).max(1)].to_owned()
}

/// How a response ended, or that it has not.
#[derive(Debug, Clone, Copy)]
pub(super) enum State<'a> {
    /// It is being written.
    InProgress,
    /// It is complete, or as complete as it gets.
    Ended(Finish),
    /// The provider failed.
    Failed(&'a Failure<'a>),
}

impl State<'_> {
    /// `status` of the response.
    pub(super) fn status(self) -> &'static str {
        match self {
            State::InProgress => "in_progress",
            State::Ended(Finish::Length | Finish::ContentFilter) => "incomplete",
            State::Failed(_) | State::Ended(Finish::Error) => "failed",
            State::Ended(_) => "completed",
        }
    }

    /// `status` of the item that was written last.
    pub(super) fn item_status(self) -> &'static str {
        match self.status() {
            "failed" => "incomplete",
            status => status,
        }
    }
}

/// What is known of a response at its end.
#[derive(Clone, Copy, Default)]
pub(super) struct Ending<'a> {
    pub(super) usage: Option<&'a Usage>,
    pub(super) service_tier: Option<&'a str>,
    /// What of it has no place here.
    pub(super) lost: Option<&'a Lost>,
}

/// Writes a response, whose output `output` writes into the open array.
pub(super) fn write(
    w: &mut Writer,
    shell: &Shell,
    state: State<'_>,
    output: impl FnOnce(&mut Writer),
    ending: Ending<'_>,
) {
    w.object(|w| {
        w.text("id", &shell.id).text("object", "response").count("created_at", shell.created);
        w.text("status", state.status()).key("error");
        error(w, state);
        w.key("incomplete_details");
        incomplete(w, state);
        w.text("model", &shell.model).key("output").array(output);
        w.raw(&shell.repeated);
        w.text_or_null("service_tier", ending.service_tier.and_then(tier)).key("usage");
        match ending.usage {
            Some(usage) => write_usage(w, usage),
            None => w.null(),
        }
        ending.lost.into_iter().for_each(|lost| lost.write(w));
    });
}

/// A tier by OpenAI's name; those of other providers have none, but for the usual one.
fn tier(name: &str) -> Option<&str> {
    match name {
        "standard" => Some("default"),
        "auto" | "default" | "flex" | "scale" | "priority" | "fast" | "ultrafast" => Some(name),
        _ => None,
    }
}

fn error(w: &mut Writer, state: State<'_>) {
    let (code, message) = match state {
        State::Failed(failure) => {
            // Not the provider's own code: clients know these.
            (openai_errors::usual_code(failure.kind).unwrap_or("invalid_prompt"), &*failure.message)
        }
        State::Ended(Finish::Error) => ("server_error", "The model failed to finish its reply."),
        _ => return w.null(),
    };
    w.object(|w| {
        w.text("code", code).text("message", message);
    });
}

fn incomplete(w: &mut Writer, state: State<'_>) {
    let reason = match state {
        State::Ended(Finish::Length) => "max_output_tokens",
        State::Ended(Finish::ContentFilter) => "content_filter",
        _ => return w.null(),
    };
    w.object(|w| {
        w.text("reason", reason);
    });
}

fn write_usage(w: &mut Writer, usage: &Usage) {
    w.object(|w| {
        w.count("input_tokens", usage.input).key("input_tokens_details").object(|w| {
            w.count("cached_tokens", usage.cache_read);
            w.count("cache_write_tokens", usage.cache_write);
        });
        w.count("output_tokens", usage.output).key("output_tokens_details").object(|w| {
            w.count("reasoning_tokens", usage.reasoning);
        });
        w.count("total_tokens", usage.input.saturating_add(usage.output));
    });
}
