//! A chat in its client's dialect, served by an upstream of another: the request on its way out, the
//! reply, the stream and the refusal on their way back.

mod embeddings;
mod media;
mod stream;

use crate::call::{Call, Keep};
use crate::error::{Class, Error};
use crate::headers::Headers;
use crate::json;
use crate::keys::to_hex;
use crate::plan::Deployment;
use crate::responses::previous::Past;
use crate::snapshot::Operation;
use crate::usage::{self, Usage};
use bytes::Bytes;
use llmgw_formats::answer::{self, Apart, Judge};
use llmgw_formats::bedrock_converse;
use llmgw_formats::chat::{Extra, Failure, Request};
use llmgw_formats::format::{Context, Dropped, Fault, PathFacts, Sent, StreamEncoder, Target};
use llmgw_formats::gemini_embed::EmbedRequest;
use llmgw_formats::gemini_generate;
use llmgw_formats::openai_responses;
use llmgw_formats::ranges;
use llmgw_formats::writer::quote;
use llmgw_formats::{Format, Kind, format};
pub use media::Asking;
use media::Media;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};
pub use stream::Translation;
use stream::{Judging, Nameless};

/// Random bytes in the id of a response: as many hex digits as OpenAI's have.
const STEM: usize = 24;
/// Bytes of the header that names what was left out.
const MOST_DROPPED: usize = 2048;
/// Characters of one name in it.
const MOST_NAME: usize = 200;
/// The header in which AWS names an error.
const AWS_ERROR: &str = "x-amzn-errortype";

/// An admitted chat, read into the canonical one when a deployment of another dialect needs it.
pub struct Chat<'a> {
    /// The call that it is.
    pub call: &'a Call,
    /// The request's id.
    pub request_id: &'a str,
    /// What ids in the reply are made of.
    stem: Cow<'a, str>,
    request: OnceCell<Result<Request<'a>, Error>>,
    media: Media,
}

/// How one attempt is translated.
pub struct Lane {
    upstream: &'static dyn Format,
    /// By which operation the upstream is asked.
    pub operation: Operation,
    /// Client and upstream speak the same dialect all the same.
    pub keeps_dialect: bool,
    /// What is sent, and what reading the reply depends on.
    pub sent: Sent,
    /// What could not be carried, by the client's names; empty if nothing was lost.
    pub dropped: String,
    /// The upstream keeps the reply itself, so that it may be asked for again.
    pub kept_upstream: bool,
}

/// A reply in the client's dialect.
pub struct Translated {
    /// Its body.
    pub body: Bytes,
    /// Tokens charged.
    pub usage: Option<Usage>,
    /// Whether it fits the schema that the client gave.
    pub fit: Fit,
}

/// Whether a reply fits the schema that its client gave, where its upstream could not be held to that.
#[derive(Debug, PartialEq, Eq)]
pub enum Fit {
    /// It does, or there is none.
    Fits,
    /// It does not: the client is told so, by this name.
    Unmet(String),
    /// It does not, and the client wants none that does not.
    Refused,
}

impl<'a> Chat<'a> {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(call: &'a Call, request_id: &'a str) -> Self {
        let stem = match call.operation {
            Operation::Responses => random_stem(request_id),
            _ => Cow::Borrowed(request_id),
        };
        Chat { call, request_id, stem, request: OnceCell::new(), media: Media::default() }
    }

    fn client(&self) -> &'static dyn Format {
        format(self.call.operation.format().unwrap_or(Kind::OpenaiChat))
    }

    fn context(&self) -> Context<'_> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        Context { request_id: &self.stem, now }
    }

    fn body(&self) -> Result<&'a str, Error> {
        let invalid = |_| Error::new(Class::InvalidRequest, "The request body is not valid UTF-8.");
        simdutf8::basic::from_utf8(&self.call.body).map_err(invalid)
    }

    fn request(&self) -> Result<&Request<'a>, Error> {
        let read = self.request.get_or_init(|| {
            let body = self.body()?;
            let model = self.call.path_model.as_deref();
            let path = PathFacts { model, stream: self.call.streams() };
            let request = self.client().decode_request(body, path).map_err(refused)?;
            ranges::check(&request, self.client().kind()).map_err(refused)?;
            Ok(request)
        });
        read.as_ref().map_err(Clone::clone)
    }

    /// The request for a deployment that serves it as `operation`.
    ///
    /// # Errors
    /// `InvalidRequest` naming the field, `NotSupported` if the other dialect cannot say it, and for
    /// strict clients `Untranslatable` naming the first field that would be left out.
    pub fn lane(&self, operation: Operation, to: &Deployment, model: &str) -> Result<Lane, Error> {
        let mut dropped = Dropped::default();
        let mut lane = if operation.embeds() {
            let request = self.embedded()?;
            let operation = embeddings::suited(operation, &request, to);
            let body = embeddings::write(operation, &request, model, &mut dropped)?;
            Lane::of(operation, Sent { body, ..Sent::default() })
        } else {
            self.chat_lane(operation, to, model, &mut dropped)?
        };
        if self.call.strict
            && let Some(first) = dropped.names().first()
        {
            let name = self.spelt(first.clone());
            let message = format!("The model's provider cannot be told `{name}`.");
            return Err(Error::new(Class::Untranslatable, message).with_param(name));
        }
        lane.dropped = self.named(&dropped);
        Ok(lane)
    }

    /// The texts that vectors are asked for.
    fn embedded(&self) -> Result<EmbedRequest<'_>, Error> {
        let named = self.call.path_model.as_deref().unwrap_or_default();
        embeddings::read(self.call.operation, named, self.body()?)
    }

    fn chat_lane(
        &self,
        operation: Operation,
        to: &Deployment,
        model: &str,
        dropped: &mut Dropped,
    ) -> Result<Lane, Error> {
        let request = self.request()?;
        let kind = operation.format().unwrap_or(Kind::OpenaiChat);
        let target = target(to, model);
        let given = self.with_media(request, format(kind), &target);
        let mut sent = format(kind).encode_request(&given, &target, dropped).map_err(refused)?;
        let keeps_dialect = kind == self.client().kind();
        if keeps_dialect {
            add_extras(&mut sent.body, request, dropped);
        } else {
            self.refuse_what_is_essential(request)?;
        }
        if self.call.keep.is_wanted() {
            // It is kept here.
            dropped.forget_all(|name| name == "store");
        }
        let kept_upstream = keeps_dialect && self.is_kept_upstream();
        if kept_upstream && let Some(store) = json::find_member(&sent.body, "store") {
            sent.body = json::splice(&sent.body, &[(store.value, b"true".to_vec())]);
        }
        Ok(Lane { keeps_dialect, kept_upstream, ..Lane::of(operation, sent) })
    }

    /// Whether an upstream of the client's own dialect is to keep the reply: it was asked to, or it keeps
    /// what the reply goes on from.
    fn is_kept_upstream(&self) -> bool {
        let Call { keep, past, .. } = self.call;
        *keep == Keep::Asked || (keep.is_wanted() && matches!(past, Past::At(_)))
    }

    /// Some members of a request for a response must not be left out.
    fn refuse_what_is_essential(&self, request: &Request<'_>) -> Result<(), Error> {
        if self.call.operation != Operation::Responses {
            return Ok(());
        }
        let is_given = |name: &&&str| request.extra.iter().any(|extra| extra.name == **name);
        let Some(name) = openai_responses::ESSENTIAL.iter().find(is_given) else {
            return Ok(());
        };
        let message = format!("The model's provider cannot be told `{name}`.");
        Err(Error::new(Class::NotSupported, message).with_param(*name))
    }

    /// What was left out, as the client spells it: fit for a header and a message, and not too long.
    fn spelt(&self, name: Cow<'static, str>) -> String {
        let name = self.client().spelling_of(name);
        let plain = |c: char| (c.is_ascii_graphic() || c == ' ') && c != ',';
        name.chars().take(MOST_NAME).map(|c| if plain(c) { c } else { '?' }).collect()
    }

    /// The names as a header's value.
    fn named(&self, dropped: &Dropped) -> String {
        const MORE: &str = ", ...";
        let mut text = String::new();
        for name in dropped.names() {
            let name = self.spelt(name.clone());
            if text.len() + name.len() + 2 > MOST_DROPPED {
                return text + MORE;
            }
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&name);
        }
        if dropped.is_whole() { text } else { text + MORE }
    }

    /// The reply for the client.
    ///
    /// # Errors
    /// If it is not a reply of the upstream's dialect.
    pub fn reply(&self, lane: &Lane, body: &[u8]) -> Result<Translated, Error> {
        let broken = |_| Error::new(Class::UpstreamProtocol, "The reply could not be read.");
        let body = simdutf8::basic::from_utf8(body).map_err(|_| broken(()))?;
        if lane.operation.embeds() {
            let (asked, by) = (self.embedded()?, self.call.operation);
            let (body, usage) = embeddings::reply(lane.operation, by, &asked, body)?;
            let usage = usage.and_then(usage::believable);
            return Ok(Translated { body: body.into(), usage, fit: Fit::Fits });
        }
        let request = self.request()?;
        let mut reply = lane.upstream.decode_reply(body, &lane.sent).map_err(|_| broken(()))?;
        let fit = match answer::is_unfit(request, &reply, &lane.sent) {
            false => Fit::Fits,
            true if self.refuses_unfit(request) => Fit::Refused,
            true => Fit::Unmet(self.unmet()),
        };
        if self.names_anew(lane) {
            reply.id = Cow::Borrowed("");
        }
        let body = self.client().encode_reply(&reply, request, &self.context());
        let usage = reply.usage.and_then(usage::believable);
        Ok(Translated { body: body.into(), usage, fit })
    }

    /// The refusal for the client.
    #[must_use]
    pub fn refusal(&self, failure: &Failure<'_>) -> Bytes {
        self.client().encode_error(failure, &self.context()).into()
    }

    /// The stream for the client.
    ///
    /// # Errors
    /// As [`Chat::lane`].
    pub fn stream(&self, lane: &Lane) -> Result<Translation, Error> {
        let request = self.request()?;
        let encoder = if self.call.array {
            gemini_generate::array_encoder(request, &self.context())
        } else {
            self.client().stream_encoder(request, &self.context())
        };
        let encoder: Box<dyn StreamEncoder> =
            if self.names_anew(lane) { Box::new(Nameless(encoder)) } else { encoder };
        let decoder = lane.upstream.stream_decoder(&lane.sent);
        let judging = Judge::of(request, &lane.sent).map(|judge| Judging {
            judge,
            refuses: self.refuses_unfit(request),
            name: self.unmet(),
            refused: false,
        });
        let apart = Apart::of(&lane.sent);
        Ok(Translation::new(lane.upstream.kind(), decoder, encoder, apart, judging))
    }

    /// Whether an answer that does not fit the client's schema is a failure.
    fn refuses_unfit(&self, request: &Request<'_>) -> bool {
        self.call.strict || answer::has_to_fit(request)
    }

    /// What such an answer falls short of, otherwise.
    fn unmet(&self) -> String {
        self.spelt(Cow::Borrowed("response_format")) + " (unmet)"
    }

    /// Whether the reply gets an id of ours, whatever the upstream calls it: a response is found by it.
    fn names_anew(&self, lane: &Lane) -> bool {
        self.call.operation == Operation::Responses && !lane.keeps_dialect
    }
}

/// What encoders have to know of a deployment.
fn target<'t>(to: &'t Deployment, model: &'t str) -> Target<'t> {
    Target {
        model,
        base_model: to.base_model.as_deref(),
        max_output_tokens: to.max_output_tokens,
        original: to.original,
        stream_usage: to.stream_usage,
        native_schema: to.native_schema,
        reasoning: to.reasoning,
        takes_urls: to.takes_urls,
    }
}

/// Nobody else can make this up, whatever id the client gave its request.
fn random_stem(request_id: &str) -> Cow<'_, str> {
    let mut bytes = [0; STEM];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Cow::Owned(to_hex(&bytes)),
        // Then the request's own has to do: it is a response of the same key, at worst, that it replaces.
        Err(_) => Cow::Borrowed(request_id),
    }
}

impl Lane {
    fn of(operation: Operation, sent: Sent) -> Self {
        Lane {
            upstream: format(operation.format().unwrap_or(Kind::OpenaiChat)),
            operation,
            keeps_dialect: false,
            sent,
            dropped: String::new(),
            kept_upstream: false,
        }
    }

    /// What an upstream's refusal says.
    #[must_use]
    pub fn failure<'b>(&self, status: u16, headers: &'b Headers, body: &'b str) -> Failure<'b> {
        match self.upstream.kind() {
            // AWS names the error in a header, and most often there alone.
            Kind::BedrockConverse => {
                bedrock_converse::decode_error_of(headers.text(AWS_ERROR), status, body)
            }
            _ => self.upstream.decode_error(status, body),
        }
    }
}

/// Members that only their own dialect knows, and that were left out, are carried where upstream and
/// client share it.
fn add_extras(body: &mut Vec<u8>, request: &Request<'_>, dropped: &mut Dropped) {
    let Ok(object) = json::parse_object(body) else { return };
    let written: HashSet<&[u8]> =
        object.fields.iter().map(|field| &body[field.member.start..=field.key.end]).collect();
    let is_left_out = |extra: &&Extra<'_>| {
        !extra.name.contains(['.', '[']) && !written.contains(quote(&extra.name).as_bytes())
    };
    let added: Vec<_> = request.extra.iter().filter(is_left_out).collect();
    if body.pop() != Some(b'}') {
        return;
    }
    for extra in &added {
        let comma = if body.ends_with(b"{") { "" } else { "," };
        for part in [comma, &quote(&extra.name), ":", &extra.value] {
            body.extend_from_slice(part.as_bytes());
        }
    }
    body.push(b'}');
    dropped.forget_all(|name| added.iter().any(|extra| extra.name == name));
}

fn refused(fault: Fault) -> Error {
    let class = if fault.unsupported { Class::NotSupported } else { Class::InvalidRequest };
    let error = Error::new(class, fault.message);
    match fault.param {
        Some(param) => error.with_param(param),
        None => error,
    }
}
