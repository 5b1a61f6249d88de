//! A request for an upstream.

use super::names::camel;
use super::thinking::{self, Model};
use super::words::tier_out;
use super::{contents_out, schema_out, tools_out};
use crate::chat::{Output, Request};
use crate::format::{Dropped, Fault, OUTPUT_TOOL, Sent, Target};
use crate::modalities::{Asked, is_of_chat};
use crate::writer::Writer;

/// Stop texts that Gemini takes.
const MOST_STOPS: usize = 5;
/// Alternatives whose probabilities it tells.
const MOST_LOGPROBS: u64 = 20;
/// Members of a body that clients of any dialect may give by Google's names.
const OWN: [&str; 7] = [
    "safetySettings",
    "cachedContent",
    "labels",
    "modelArmorConfig",
    "store",
    "continuationToken",
    "outputConfig",
];
/// Voices that clients of OpenAI's ask for; Google's have other names.
const OPENAI_VOICES: [&str; 13] = [
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage",
    "shimmer", "verse",
];
/// Where Gemini's own settings of a generation come from.
const PLACE: &str = "generationConfig.";

pub(super) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Sent, Fault> {
    let output_tool = match request.output {
        Output::Schema(_) if !target.native_schema => Some(OUTPUT_TOOL),
        _ => None,
    };
    let made = Asked::in_chat(request);
    let mut result = Ok(());
    let mut w = Writer::new();
    w.object(|w| {
        result = contents_out::write(w, request, Model::of(target.known_as()), dropped);
        tools_out::write(w, request, output_tool.is_some(), target, dropped);
        let shapes = output_tool.is_none();
        let config = generation_config(request, shapes, made.as_ref(), target, dropped);
        w.member_if("generationConfig", config.as_deref());
        w.text_if("serviceTier", request.service_tier.as_deref().and_then(tier_out));
        extras(w, request, made.is_some(), dropped);
    });
    result?;
    let tier = request.service_tier.as_deref().filter(|tier| *tier != "auto");
    dropped.add_if(tier.is_some_and(|tier| tier_out(tier).is_none()), "service_tier");
    dropped.add_if(request.end_user.is_some(), "end_user");
    dropped.add_if(request.metadata.is_some(), "metadata");
    Ok(Sent { body: w.finish(), headers: Vec::new(), output_tool })
}

fn extras(w: &mut Writer, request: &Request<'_>, makes: bool, dropped: &mut Dropped) {
    for one in &request.extra {
        if makes && is_of_chat(&one.name) {
            continue;
        }
        let name = camel(&one.name);
        if OWN.contains(&&*name) {
            w.member(&name, &one.value);
        } else if !one.name.starts_with(PLACE) && !tools_out::carries(&one.name) {
            dropped.add(one.name.clone().into_owned());
        }
    }
}

/// `generationConfig`, if it says anything.
fn generation_config(
    request: &Request<'_>,
    shapes: bool,
    made: Option<&Asked<'_>>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Option<String> {
    let mut w = Writer::new();
    w.object(|w| {
        sampling(w, request, dropped);
        limits(w, request, target, dropped);
        if shapes {
            output(w, &request.output, target);
        }
        thinking::write(w, request.reasoning.as_ref(), target, dropped);
        if let Some(made) = made {
            modalities(w, made, dropped);
        }
        for one in &request.extra {
            match one.name.strip_prefix(PLACE) {
                Some(name) if !name.contains('.') => {
                    w.member(name, &one.value);
                }
                Some(_) => dropped.add(one.name.clone().into_owned()),
                None => {}
            }
        }
    });
    String::from_utf8(w.finish()).ok().filter(|text| text != "{}")
}

/// Asks for pictures or speech. Models that speak say nothing beside it; OpenAI's always give the words, too.
fn modalities(w: &mut Writer, made: &Asked<'_>, dropped: &mut Dropped) {
    w.key("responseModalities").array(|w| {
        if made.text && !made.audio {
            w.string("TEXT");
        }
        if made.image {
            w.string("IMAGE");
        }
        if made.audio {
            w.string("AUDIO");
        }
    });
    let voice = made.voice.as_deref();
    let own = voice.filter(|voice| !OPENAI_VOICES.contains(voice));
    dropped.add_if(voice.is_some() && own.is_none(), "audio.voice");
    dropped.add_if(!matches!(made.format.as_deref(), None | Some("wav" | "pcm16")), "audio.format");
    if let Some(voice) = own {
        w.key("speechConfig").object(|w| {
            w.key("voiceConfig").object(|w| {
                w.key("prebuiltVoiceConfig").object(|w| {
                    w.text("voiceName", voice);
                });
            });
        });
    }
}

fn sampling(w: &mut Writer, request: &Request<'_>, dropped: &mut Dropped) {
    let temperature = request.temperature.map(|given| given.clamp(0.0, 2.0));
    dropped.add_if(temperature != request.temperature, "temperature (clamped)");
    w.float_if("temperature", temperature).float_if("topP", request.top_p);
    w.count_if("topK", request.top_k);
    w.float_if("presencePenalty", request.presence_penalty);
    w.float_if("frequencyPenalty", request.frequency_penalty);
    if let Some(seed) = request.seed {
        match i32::try_from(seed) {
            Ok(seed) => w.key("seed").integer(seed.into()),
            Err(_) => dropped.add("seed"),
        }
    }
    if let Some(top) = request.logprobs {
        w.flag("responseLogprobs", true);
        w.count_if("logprobs", (top > 0).then_some(top.min(MOST_LOGPROBS)));
        dropped.add_if(top > MOST_LOGPROBS, "logprobs (clamped)");
    }
    w.count_if("candidateCount", request.n.filter(|n| *n != 1));
}

fn limits(w: &mut Writer, request: &Request<'_>, target: &Target<'_>, dropped: &mut Dropped) {
    let most = target.max_output_tokens.unwrap_or(u64::MAX);
    let tokens = request.max_output_tokens.map(|given| given.min(most));
    dropped.add_if(tokens != request.max_output_tokens, "max_output_tokens (clamped)");
    w.count_if("maxOutputTokens", tokens);
    if !request.stop.is_empty() {
        dropped.add_if(request.stop.len() > MOST_STOPS, "stop (clamped)");
        let stops = request.stop.iter().take(MOST_STOPS);
        w.key("stopSequences").array(|w| stops.for_each(|text| w.string(text)));
    }
}

fn output(w: &mut Writer, output: &Output<'_>, target: &Target<'_>) {
    match output {
        Output::Text => {}
        Output::Json => {
            w.text("responseMimeType", "application/json");
        }
        Output::Schema(schema) => {
            w.text("responseMimeType", "application/json");
            if target.original {
                w.member("responseJsonSchema", &schema.schema);
            } else {
                let converted = schema_out::convert(&schema.schema);
                w.member_if("responseSchema", converted.as_deref());
            }
        }
    }
}
