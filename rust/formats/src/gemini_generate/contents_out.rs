//! The contents of a request for an upstream.
//!
//! Neighbours of one role become one content, except that results of functions stand in a content of
//! their own: Gemini counts its parts against the calls before it.

use super::parts::{Family, OPAQUE};
use super::parts_out::{Part, parts, response};
use super::proof;
use super::thinking::Model;
use crate::chat::{Block, Cache, Made, Message, Request, Role, Signature, Source};
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
            Block::Image { made: Made { signature: Some(own), .. }, .. } => {
                let proof = self.proof(at, Some(own)).or(before);
                said.extend(self.media(at, block, proof));
            }
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
            Block::Image { source, detail, cache, .. } => {
                self.uncached(at, cache.as_ref());
                let told = detail.as_deref().is_some_and(|detail| detail != "auto");
                self.note(at, told, ".detail");
                (source, Family::Image)
            }
            Block::Audio { source, .. } => (source, Family::Audio),
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
                Block::Text(one) => Cow::Borrowed(&*one.text),
                Block::Refusal(one) => Cow::Borrowed(&**one),
                _ => match self.media(at, block, None) {
                    Some(Part::Text { text, .. }) => text,
                    Some(Part::Media { source, family, .. }) => {
                        media.push((source, family));
                        continue;
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
            text.push_str(&piece);
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
