//! The items of a reply, as they are written for a client.

use super::freetext;
use super::input_in::REDACTED;
use super::tools_out::Look;
use crate::chat::{Citation, FunctionForm, Logprob, Signature, Text};
use crate::format::Kind;
use crate::signature;
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// An item of the output.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) id: String,
    pub(super) body: Body<'a>,
}

/// What an item is.
#[derive(Debug)]
pub(super) enum Body<'a> {
    /// What the model says, and in which phase.
    Message(Vec<Part<'a>>, Option<Text<'a>>),
    /// What it thought.
    Reasoning {
        /// The thought.
        text: Text<'a>,
        /// Its proof, as it is written.
        sealed: Option<Text<'a>>,
    },
    /// A call of a tool.
    Call(Call<'a>),
    /// A picture: its media type and base64.
    Image(Text<'a>, Text<'a>),
    /// An item as it stands.
    Verbatim(Text<'a>),
}

/// A call of a tool.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) look: Look,
    pub(super) call_id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) arguments: Text<'a>,
}

/// A part of a message.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) is_refusal: bool,
    pub(super) text: Text<'a>,
    /// JSON texts.
    pub(super) annotations: Vec<String>,
    pub(super) logprobs: Vec<Logprob<'a>>,
}

impl<'a> Part<'a> {
    pub(super) fn new(is_refusal: bool, text: Text<'a>) -> Self {
        Part { is_refusal, text, annotations: Vec::new(), logprobs: Vec::new() }
    }

    pub(super) fn write(&self, w: &mut Writer) {
        if self.is_refusal {
            return w.object(|w| {
                w.text("type", "refusal").text("refusal", &self.text);
            });
        }
        w.object(|w| {
            w.text("type", "output_text").key("annotations").array(|w| {
                self.annotations.iter().for_each(|one| w.raw(one));
            });
            w.key("logprobs").array(|w| logprobs(w, &self.logprobs));
            w.text("text", &self.text);
        });
    }
}

/// Writes log probabilities into the open array.
pub(super) fn logprobs(w: &mut Writer, logprobs: &[Logprob<'_>]) {
    logprobs.iter().for_each(|one| logprob(w, one, true));
}

fn logprob(w: &mut Writer, one: &Logprob<'_>, with_top: bool) {
    // This format always has the bytes; a token that is text is its own.
    let bytes = one.bytes.as_deref().unwrap_or(one.token.as_bytes());
    w.object(|w| {
        w.text("token", &one.token).key("bytes");
        w.array(|w| bytes.iter().for_each(|&byte| w.number(byte.into())));
        w.key("logprob").float(one.logprob);
        if with_top {
            w.key("top_logprobs").array(|w| one.top.iter().for_each(|top| logprob(w, top, false)));
        }
    });
}

/// What the ids of a call's item begin with.
pub(super) const fn call_prefix(form: FunctionForm) -> &'static str {
    match form {
        FunctionForm::Arguments => "fc",
        FunctionForm::FreeText => "ctc",
        FunctionForm::LocalShell => "lsh",
        FunctionForm::ToolSearch => "tsc",
    }
}

impl Item<'_> {
    /// Writes the item. `status` is `in_progress`, `completed` or `incomplete`.
    pub(super) fn write(&self, w: &mut Writer, status: &str) {
        match &self.body {
            Body::Verbatim(raw) => w.raw(raw),
            Body::Message(parts, phase) => w.object(|w| {
                w.text("id", &self.id).text("type", "message").text("status", status);
                w.text_if("phase", phase.as_deref());
                w.key("content").array(|w| parts.iter().for_each(|part| part.write(w)));
                w.text("role", "assistant");
            }),
            Body::Reasoning { text, sealed } => w.object(|w| {
                w.text("id", &self.id).text("type", "reasoning");
                w.key("summary").array(|w| {
                    if !text.is_empty() {
                        summary_part(w, text);
                    }
                });
                w.text_if("encrypted_content", sealed.as_deref());
            }),
            Body::Call(call) => w.object(|w| {
                w.text("id", &self.id);
                call.write(w, status);
            }),
            Body::Image(media_type, data) => w.object(|w| {
                w.text("id", &self.id).text("type", "image_generation_call");
                w.text("status", status);
                w.text_or_null("result", Some(&**data).filter(|data| !data.is_empty()));
                w.text_if("output_format", media_type.strip_prefix("image/"));
            }),
        }
    }
}

impl Call<'_> {
    fn write(&self, w: &mut Writer, status: &str) {
        match self.look.form {
            FunctionForm::Arguments => {
                w.text("type", "function_call").text("status", status);
                w.text("arguments", &self.arguments).text("call_id", &self.call_id);
                self.name(w);
            }
            FunctionForm::FreeText => {
                w.text("type", "custom_tool_call").text("status", status);
                w.text("call_id", &self.call_id);
                self.name(w);
                w.text("input", &self.input());
            }
            FunctionForm::LocalShell => {
                w.text("type", "local_shell_call").text("status", status);
                w.text("call_id", &self.call_id).key("action");
                action(w, &self.arguments);
            }
            FunctionForm::ToolSearch => {
                w.text("type", "tool_search_call").text("status", status);
                w.text("call_id", &self.call_id).text("execution", "client").key("arguments");
                object(w, &self.arguments);
            }
        }
    }

    fn name(&self, w: &mut Writer) {
        match &self.look.group {
            Some((namespace, name)) => w.text("name", name).text("namespace", namespace),
            None => w.text("name", &self.name),
        };
    }

    /// The text of a call of a free-text tool.
    pub(super) fn input(&self) -> Text<'_> {
        match &*self.arguments {
            "" | "{}" => Text::default(),
            arguments => freetext::unwrap(arguments),
        }
    }
}

/// Writes the `action` of a shell's call whose arguments these are.
pub(super) fn action(w: &mut Writer, arguments: &str) {
    let value = Value::parse(arguments).ok();
    w.object(|w| {
        w.text("type", "exec");
        let mut missing = [("command", "[]"), ("env", "{}")].to_vec();
        for (name, value) in value.as_ref().map(Value::members).unwrap_or_default() {
            if name != "type" && !value.is_null() {
                w.member(name, value.raw());
                missing.retain(|(one, _)| one != name);
            }
        }
        for (name, empty) in missing {
            w.member(name, empty);
        }
    });
}

/// Writes arguments as the object that they are the text of; what is none is an empty one.
pub(super) fn object(w: &mut Writer, arguments: &str) {
    let given = Value::parse(arguments).ok().filter(Value::is_object);
    w.raw(given.map_or("{}", |given| given.raw()));
}

/// Writes a part of a reasoning item's summary.
pub(super) fn summary_part(w: &mut Writer, text: &str) {
    w.object(|w| {
        w.text("type", "summary_text").text("text", text);
    });
}

/// The proof of a thought as it stands in the item of that id. A proof of this format holds for an item
/// of its own id only: in another item it is sealed, with its id.
pub(super) fn sealed<'a>(
    signature: &'a Signature<'_>,
    item_id: &str,
    redacted: bool,
) -> Cow<'a, str> {
    if signature.origin == Kind::OpenaiResponses {
        if signature.id.as_deref() == Some(item_id) {
            return Cow::Borrowed(&signature.value);
        }
        return Cow::Owned(signature::seal(signature));
    }
    if redacted && signature.id.is_none() {
        let marked = Signature {
            origin: signature.origin,
            id: Some(REDACTED.into()),
            value: Cow::Borrowed(&signature.value),
        };
        return Cow::Owned(signature::seal(&marked));
    }
    Cow::Owned(signature::seal(signature))
}

/// The id of a reasoning item with this proof, if the proof asks for one.
pub(super) fn own_id(signature: &Signature<'_>) -> Option<String> {
    let own = signature.origin == Kind::OpenaiResponses;
    signature.id.as_deref().filter(|id| own && id.starts_with("rs")).map(str::to_owned)
}

/// Types of annotations that are no quotes of the web's.
const FILE_ANNOTATIONS: [&str; 3] = ["file_citation", "container_file_citation", "file_path"];

/// A citation as an annotation. `length` is the number of characters of the text so far: where a citation
/// that does not say its end is put.
pub(super) fn annotation(citation: &Citation<'_>, length: usize) -> String {
    let mut w = Writer::new();
    let is_file = |raw: &&str| {
        Value::parse(raw).is_ok_and(|value| {
            let kind = value.get("type").and_then(Value::as_str);
            kind.is_some_and(|kind| FILE_ANNOTATIONS.contains(&kind))
        })
    };
    if let (None, Some(raw)) = (&citation.url, citation.raw.as_deref().filter(is_file)) {
        return raw.to_owned();
    }
    let end = citation.end.unwrap_or(length as u64);
    w.object(|w| match citation.document {
        Some(document) if citation.url.is_none() => {
            w.text("type", "file_citation").text("file_id", "");
            w.text("filename", citation.title.as_deref().unwrap_or_default());
            w.count("index", document);
        }
        _ => {
            w.text("type", "url_citation").count("start_index", citation.start.unwrap_or(0));
            w.count("end_index", end);
            w.text("title", citation.title.as_deref().unwrap_or_default());
            w.text("url", citation.url.as_deref().unwrap_or_default());
        }
    });
    String::from_utf8(w.finish()).unwrap_or_default()
}
