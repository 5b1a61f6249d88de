//! The contents of a request for an upstream.
//!
//! Neighbours of one role become one content, except that results of functions stand in a content of
//! their own: Gemini counts its parts against the calls before it.

use super::parts::{Family, OPAQUE, is_youtube, media_type_of};
use super::proof;
use super::thinking::Model;
use crate::base64;
use crate::chat::{Block, Cache, Message, Request, Role, Signature, Source};
use crate::format::{Dropped, Fault, Kind};
use crate::value::Value;
use crate::writer::{Writer, quote};
use std::borrow::Cow;
use std::collections::HashMap;

/// Stands for the proof of a call that another model made. Google's documentation of thought
/// signatures gives it for histories that were not written by Gemini.
const NO_PROOF: &str = "skip_thought_signature_validator";

/// Writes `systemInstruction` and `contents`.
///
/// # Errors
/// If nothing is left to say.
pub(super) fn write(
    w: &mut Writer,
    request: &Request<'_>,
    model: Model,
    dropped: &mut Dropped,
) -> Result<(), Fault> {
    let names = function_names(&request.messages);
    let mut planner = Planner { model, dropped, names: &names };
    let (system, turns) = planner.plan(&request.messages);
    let only_system = turns.is_empty();
    let turns = if only_system {
        vec![Turn { role: "user", parts: system }]
    } else {
        if !system.is_empty() {
            w.key("systemInstruction").object(|w| parts(w, &system));
        }
        turns
    };
    if turns.iter().all(|turn| turn.parts.is_empty()) {
        return Err(Fault::unsupported(
            "messages",
            "Nothing of the messages can be said to this model.",
        ));
    }
    w.key("contents").array(|w| {
        for turn in turns.iter().filter(|turn| !turn.parts.is_empty()) {
            w.object(|w| {
                w.text("role", turn.role);
                parts(w, &turn.parts);
            });
        }
    });
    Ok(())
}

/// Names of the functions called, by the calls' ids: results of other formats do without them.
fn function_names<'r>(messages: &'r [Message<'_>]) -> HashMap<&'r str, &'r str> {
    let calls =
        messages.iter().flat_map(|message| &message.blocks).filter_map(|block| match block {
            Block::ToolCall(call) => Some((&*call.id, &*call.name)),
            _ => None,
        });
    calls.collect()
}

/// A content in the making.
struct Turn<'r> {
    role: &'static str,
    parts: Vec<Part<'r>>,
}

/// A part in the making.
enum Part<'r> {
    Text { text: Cow<'r, str>, thought: bool, proof: Option<Cow<'r, str>> },
    Media { source: &'r Source<'r>, family: Family, proof: Option<Cow<'r, str>> },
    Call { id: &'r str, name: &'r str, args: Cow<'r, str>, proof: Option<Cow<'r, str>> },
    Response { id: &'r str, name: &'r str, response: String, media: Vec<(&'r Source<'r>, Family)> },
    Raw(&'r str),
}

struct Planner<'d, 'r> {
    model: Model,
    dropped: &'d mut Dropped,
    names: &'d HashMap<&'r str, &'r str>,
}

impl<'r> Planner<'_, 'r> {
    /// The system prompt, and the turns.
    fn plan(&mut self, messages: &'r [Message<'r>]) -> (Vec<Part<'r>>, Vec<Turn<'r>>) {
        let mut system = Vec::new();
        let mut turns: Vec<Turn<'r>> = Vec::new();
        let mut last = None;
        for (index, message) in messages.iter().enumerate() {
            if message.name.is_some() {
                self.dropped.add(format!("messages[{index}].name"));
            }
            let role = if message.role.is_system() { Role::System } else { message.role };
            if role == Role::System {
                if last.is_some() {
                    // It is heard before the turns that it stood among.
                    self.dropped.add(format!("messages[{index}].role"));
                }
                self.blocks(index, message, &mut system, &mut Vec::new());
                continue;
            }
            let (mut said, mut answers) = (Vec::new(), Vec::new());
            self.blocks(index, message, &mut said, &mut answers);
            add(&mut turns, role, last == Some(role), said, answers);
            last = Some(role);
        }
        if self.model.wants_proofs() {
            turns.iter_mut().for_each(prove);
        }
        (system, turns)
    }

    fn blocks(
        &mut self,
        index: usize,
        message: &'r Message<'r>,
        said: &mut Vec<Part<'r>>,
        answers: &mut Vec<Part<'r>>,
    ) {
        let mut proof: Option<Cow<'r, str>> = None;
        for (number, block) in message.blocks.iter().enumerate() {
            let at = Place { message: index, block: number };
            if let (Some(own), Some(next)) = (alone(block), message.blocks.get(number + 1))
                && takes_proof(next)
            {
                proof = Some(own);
                continue;
            }
            let before = proof.take();
            self.block(at, block, before, said, answers);
        }
    }

    fn block(
        &mut self,
        at: Place,
        block: &'r Block<'r>,
        before: Option<Cow<'r, str>>,
        said: &mut Vec<Part<'r>>,
        answers: &mut Vec<Part<'r>>,
    ) {
        match block {
            Block::Text(text) => {
                self.uncached(at, text.cache.as_ref());
                self.note(at, !text.citations.is_empty(), ".citations");
                let proof = self.proof(at, text.signature.as_ref());
                if !text.text.is_empty() || proof.is_some() {
                    said.push(Part::Text {
                        text: Cow::Borrowed(&text.text),
                        thought: false,
                        proof,
                    });
                }
            }
            Block::Refusal(text) if !text.is_empty() => {
                said.push(Part::Text { text: Cow::Borrowed(text), thought: false, proof: None });
            }
            Block::Refusal(_) => {}
            Block::Thinking(thought) => {
                let foreign = thought.signature.as_ref().is_some_and(|one| !is_own(one));
                let proof = self.proof(at, thought.signature.as_ref());
                if !foreign && (!thought.text.is_empty() || proof.is_some()) {
                    said.push(Part::Text {
                        text: Cow::Borrowed(&thought.text),
                        thought: true,
                        proof,
                    });
                }
            }
            Block::ToolCall(call) => {
                self.uncached(at, call.cache.as_ref());
                let proof = self.proof(at, call.signature.as_ref()).or(before);
                let args = self.arguments(at, &call.arguments);
                said.push(Part::Call { id: &call.id, name: &call.name, args, proof });
            }
            Block::ToolResult { call_id, name, blocks, is_error, cache } => {
                self.uncached(at, cache.as_ref());
                let known = name.as_deref().or_else(|| self.names.get(&**call_id).copied());
                let (response, media) = self.answer(at, blocks, *is_error);
                let (inside, beside) =
                    media.into_iter().partition(|(_, family)| self.fits_result(*family));
                let name = known.unwrap_or(call_id);
                answers.push(Part::Response { id: call_id, name, response, media: inside });
                let beside: Vec<(&'r Source<'r>, Family)> = beside;
                said.extend(beside.into_iter().map(|(source, family)| Part::Media {
                    source,
                    family,
                    proof: None,
                }));
            }
            Block::Opaque { kind, value } => match OPAQUE.contains(&&**kind) {
                true => said.push(Part::Raw(value)),
                false => self.note(at, true, ""),
            },
            _ => said.extend(self.media(at, block, before)),
        }
    }

    /// Pictures, sounds, films and documents.
    fn media(
        &mut self,
        at: Place,
        block: &'r Block<'r>,
        proof: Option<Cow<'r, str>>,
    ) -> Option<Part<'r>> {
        let (source, family) = match block {
            Block::Image { source, detail, cache } => {
                self.uncached(at, cache.as_ref());
                let told = detail.as_deref().is_some_and(|detail| detail != "auto");
                self.note(at, told, ".detail");
                (source, Family::Image)
            }
            Block::Audio { source } => (source, Family::Audio),
            Block::Video { source } => (source, Family::Video),
            Block::Document { source, title, context, citations, cache } => {
                self.uncached(at, cache.as_ref());
                self.note(at, title.is_some(), ".title");
                self.note(at, context.is_some(), ".context");
                self.note(at, *citations, ".citations");
                (source, Family::Document)
            }
            _ => return None,
        };
        match source {
            Source::Text(text) => {
                Some(Part::Text { text: Cow::Borrowed(text), thought: false, proof })
            }
            _ => Some(Part::Media { source, family, proof }),
        }
    }

    /// Media that a result may hold; the rest follows it.
    fn fits_result(&self, family: Family) -> bool {
        self.model.sees_results() && matches!(family, Family::Image | Family::Document)
    }

    /// `response`, and the media that belong to it.
    fn answer(
        &mut self,
        at: Place,
        blocks: &'r [Block<'r>],
        is_error: bool,
    ) -> (String, Vec<(&'r Source<'r>, Family)>) {
        let mut text = String::new();
        let mut media = Vec::new();
        for block in blocks {
            let piece = match block {
                Block::Text(one) => &one.text,
                Block::Refusal(one) => one,
                _ => match self.media(at, block, None) {
                    Some(Part::Media { source, family, .. }) => {
                        media.push((source, family));
                        continue;
                    }
                    Some(Part::Text { .. })
                        if let Block::Document { source: Source::Text(one), .. } = block =>
                    {
                        one
                    }
                    _ => {
                        self.note(at, true, ".content");
                        continue;
                    }
                },
            };
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(piece);
        }
        (response(&text, is_error), media)
    }

    fn proof(&mut self, at: Place, signature: Option<&'r Signature<'r>>) -> Option<Cow<'r, str>> {
        let signature = signature?;
        if is_own(signature) {
            return Some(proof::write(signature, false));
        }
        self.note(at, true, ".signature");
        None
    }

    /// The arguments of a call; Gemini takes nothing but an object.
    fn arguments(&mut self, at: Place, text: &'r str) -> Cow<'r, str> {
        if Value::parse(text).is_ok_and(|value| value.is_object()) {
            return Cow::Borrowed(text);
        }
        if text.trim().is_empty() {
            return Cow::Borrowed("{}");
        }
        self.note(at, true, ".arguments");
        Cow::Owned(["{\"arguments\":", &quote(text), "}"].concat())
    }

    /// Gemini caches what it has seen before by itself.
    fn uncached(&mut self, at: Place, cache: Option<&Cache<'_>>) {
        self.note(at, cache.is_some(), ".cache_control");
    }

    fn note(&mut self, at: Place, given: bool, what: &str) {
        if given {
            let Place { message, block } = at;
            self.dropped.add(format!("messages[{message}].content[{block}]{what}"));
        }
    }
}

/// Where a block stands in the request.
#[derive(Clone, Copy)]
struct Place {
    message: usize,
    block: usize,
}

fn is_own(signature: &Signature<'_>) -> bool {
    signature.origin == Kind::GeminiGenerate
}

/// The proof of an own thought that stands alone, for what comes after it.
fn alone<'r>(block: &'r Block<'r>) -> Option<Cow<'r, str>> {
    match block {
        Block::Thinking(one) if one.text.is_empty() => {
            one.signature.as_ref().filter(|one| is_own(one)).map(|one| proof::write(one, false))
        }
        _ => None,
    }
}

fn takes_proof(block: &Block<'_>) -> bool {
    match block {
        Block::ToolCall(call) => call.signature.is_none(),
        Block::Image { .. } | Block::Audio { .. } | Block::Video { .. } => true,
        Block::Document { .. } => true,
        _ => false,
    }
}

/// Adds to the last turn if that is of the same role, or begins one.
fn add<'r>(
    turns: &mut Vec<Turn<'r>>,
    role: Role,
    goes_on: bool,
    said: Vec<Part<'r>>,
    answers: Vec<Part<'r>>,
) {
    let role = if role == Role::Assistant { "model" } else { "user" };
    // A user's turn may be two contents: the results, then the rest.
    if !goes_on {
        turns.push(Turn { role, parts: Vec::new() });
        if role == "user" {
            turns.push(Turn { role, parts: Vec::new() });
        }
    }
    let last = turns.len() - 1;
    if role == "user" {
        turns[last - 1].parts.extend(answers);
    }
    turns[last].parts.extend(said);
}

/// The first call of a turn needs a proof.
fn prove(turn: &mut Turn<'_>) {
    let first = turn.parts.iter_mut().find_map(|part| match part {
        Part::Call { proof, .. } => Some(proof),
        _ => None,
    });
    if let Some(proof) = first {
        proof.get_or_insert(Cow::Borrowed(NO_PROOF));
    }
}

/// What a function said, as an object: its own, or under the name that Google gives to answers and
/// errors.
fn response(text: &str, is_error: bool) -> String {
    let value = text.trim_start().starts_with('{').then(|| Value::parse(text).ok()).flatten();
    let object = value.filter(|value| {
        let taken = |name| value.get(name).is_some();
        value.is_object() && !taken("output") && !taken("error") && !value.members().is_empty()
    });
    match (object, is_error) {
        (Some(object), false) => object.raw().to_owned(),
        (Some(object), true) => ["{\"error\":", object.raw(), "}"].concat(),
        (None, false) => ["{\"output\":", &quote(text), "}"].concat(),
        (None, true) => ["{\"error\":", &quote(text), "}"].concat(),
    }
}

fn parts(w: &mut Writer, parts: &[Part<'_>]) {
    w.key("parts").array(|w| parts.iter().for_each(|one| part(w, one)));
}

fn part(w: &mut Writer, part: &Part<'_>) {
    if let Part::Raw(value) = part {
        return w.raw(value);
    }
    w.object(|w| {
        let proof = match part {
            Part::Text { text, thought, proof } => {
                w.text("text", text).flag_if("thought", thought.then_some(true));
                proof
            }
            Part::Media { source, family, proof } => {
                media(w, source, *family);
                proof
            }
            Part::Call { id, name, args, proof } => {
                w.key("functionCall").object(|w| {
                    w.text_if("id", Some(*id).filter(|id| !id.is_empty())).text("name", name);
                    w.member("args", args);
                });
                proof
            }
            Part::Response { id, name, response, media } => {
                answer(w, (id, name, response), media);
                return;
            }
            Part::Raw(_) => return,
        };
        w.text_if("thoughtSignature", proof.as_deref());
    });
}

fn answer(w: &mut Writer, (id, name, response): (&str, &str, &str), all: &[(&Source<'_>, Family)]) {
    w.key("functionResponse").object(|w| {
        w.text_if("id", Some(id).filter(|id| !id.is_empty())).text("name", name);
        w.member("response", response);
        if !all.is_empty() {
            w.key("parts").array(|w| {
                for (source, family) in all {
                    w.object(|w| media(w, source, *family));
                }
            });
        }
    });
}

fn media(w: &mut Writer, source: &Source<'_>, family: Family) {
    match source {
        Source::Base64 { media_type, data } => inline(w, media_type, data),
        Source::Text(text) => inline(w, "text/plain", &base64::encode(text.as_bytes())),
        Source::File { id } => file(w, None, id),
        Source::Url { url, media_type } => {
            let likely = || media_type_of(url).unwrap_or_else(|| family.likeliest());
            let told = media_type.as_deref().filter(|told| !told.is_empty());
            // Films at YouTube are known by their address.
            let known = told.or_else(|| (!is_youtube(url)).then(likely));
            file(w, known, url);
        }
    }
}

/// A media type and base64 data.
pub(super) fn inline(w: &mut Writer, media_type: &str, data: &str) {
    w.key("inlineData").object(|w| {
        w.text("mimeType", media_type).text("data", data);
    });
}

fn file(w: &mut Writer, media_type: Option<&str>, uri: &str) {
    w.key("fileData").object(|w| {
        w.text_if("mimeType", media_type).text("fileUri", uri);
    });
}
