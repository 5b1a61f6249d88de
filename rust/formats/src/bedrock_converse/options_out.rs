//! The settings of a request for an upstream.

use super::models::{Family, Model};
use super::thinking::Thought;
use super::turns::Plan;
use super::words::is_tier;
use crate::chat::{Output, OutputSchema, Request};
use crate::format::{Dropped, Target};
use crate::value::Value;
use crate::writer::Writer;

/// Members of a request that only Converse has: they pass as they are.
const OWN: [&str; 5] = [
    "guardrailConfig",
    "performanceConfig",
    "promptVariables",
    "additionalModelResponseFieldPaths",
    "projectIdentifier",
];
/// Where Converse takes what only the model knows.
const ADDITIONAL: &str = "additionalModelRequestFields";
/// Nova's largest `topK`.
const NOVA_TOP_K: u64 = 128;

/// Settings as they will be written.
pub(super) struct Options {
    model: Model,
    thought: Thought,
    max_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u64>,
}

impl Options {
    pub(super) fn plan(
        request: &Request<'_>,
        plan: &Plan<'_>,
        model: Model,
        target: &Target<'_>,
        forced: bool,
        dropped: &mut Dropped,
    ) -> Self {
        let given = request.max_output_tokens;
        let max_tokens = given.map(|given| given.min(target.max_output_tokens.unwrap_or(u64::MAX)));
        dropped.add_if(given != max_tokens, "max_output_tokens (clamped)");
        let most = max_tokens.or(target.max_output_tokens);
        let thought = Thought::plan(request, plan, model, most, forced, dropped);
        let mut options = Options {
            model,
            thought,
            max_tokens,
            temperature: clamped(request.temperature, "temperature (clamped)", dropped),
            top_p: clamped(request.top_p, "top_p (clamped)", dropped),
            top_k: request.top_k,
        };
        options.sample(dropped);
        uncarried(request, dropped);
        options
    }

    /// Takes out what the model would refuse.
    fn sample(&mut self, dropped: &mut Dropped) {
        let thinks = self.thought.restricts();
        let fixed = self.model.family == Family::ClaudeAdaptiveOnly;
        let claude = self.model.family.is_claude() && self.model.family != Family::Claude;
        let one = |value: Option<f64>| value == Some(1.0);
        if (fixed || thinks) && self.temperature.is_some() {
            dropped.add_if(!one(self.temperature.take()), "temperature");
        }
        let narrow = thinks && self.top_p.is_some_and(|top_p| top_p < 0.95);
        // Newer Claudes take one of the two.
        if self.top_p.is_some() && (fixed || narrow || (claude && self.temperature.is_some())) {
            dropped.add_if(!one(self.top_p.take()), "top_p");
        }
        let family = self.model.family;
        let takes = family.is_claude() || family.is_nova() || family == Family::Mistral;
        if self.top_k.is_some() && (fixed || thinks || !takes) {
            self.top_k = None;
            dropped.add("top_k");
        }
        if self.thought == Thought::Nova("high") {
            // Nova 2 refuses these beside its highest effort.
            dropped.add_if(self.temperature.take().is_some(), "temperature");
            dropped.add_if(self.top_p.take().is_some(), "top_p");
            dropped.add_if(self.max_tokens.take().is_some(), "max_output_tokens");
        }
        if let Some(top_k) = self.top_k.filter(|top_k| family.is_nova() && *top_k > NOVA_TOP_K) {
            dropped.add_if(top_k > NOVA_TOP_K, "top_k (clamped)");
            self.top_k = Some(NOVA_TOP_K);
        }
    }

    pub(super) fn write(
        &self,
        w: &mut Writer,
        request: &Request<'_>,
        target: &Target<'_>,
        dropped: &mut Dropped,
    ) {
        self.inference(w, request, dropped);
        self.output(w, request, target);
        self.additional(w, request, dropped);
        metadata(w, request, dropped);
        match request.service_tier.as_deref() {
            None | Some("auto") => {}
            Some(tier) if is_tier(tier) => w.key("serviceTier").object(|w| {
                w.text("type", tier);
            }),
            Some(_) => dropped.add("service_tier"),
        }
        for one in &request.extra {
            match &*one.name {
                own if OWN.contains(&own) => drop(w.member(own, &one.value)),
                other if field(other).is_some() => {}
                other => dropped.add(other.to_owned()),
            }
        }
        let asked = request.extra.iter().any(|one| one.name == OWN[3]);
        if self.model.family.is_claude() && !request.stop.is_empty() && !asked {
            // Otherwise nobody would know which of the texts it was.
            w.member(OWN[3], "[\"/stop_sequence\"]");
        }
    }

    fn inference(&self, w: &mut Writer, request: &Request<'_>, dropped: &mut Dropped) {
        // Claude refuses texts of white space alone.
        let blank = |text: &str| {
            text.is_empty() || (self.model.family.is_claude() && text.trim().is_empty())
        };
        let stop: Vec<_> = request.stop.iter().filter(|text| !blank(text)).collect();
        dropped.add_if(stop.len() < request.stop.len(), "stop");
        let floats = [self.temperature, self.top_p];
        if self.max_tokens.is_none() && floats == [None, None] && stop.is_empty() {
            return;
        }
        w.key("inferenceConfig").object(|w| {
            w.count_if("maxTokens", self.max_tokens);
            w.float_if("temperature", self.temperature).float_if("topP", self.top_p);
            if !stop.is_empty() {
                w.key("stopSequences").array(|w| stop.iter().for_each(|text| w.string(text)));
            }
        });
    }

    fn output(&self, w: &mut Writer, request: &Request<'_>, target: &Target<'_>) {
        let effort = match self.thought {
            Thought::Adaptive { effort, .. } => Some(effort),
            _ => None,
        };
        let schema = match &request.output {
            Output::Schema(schema) if target.native_schema => Some(schema),
            _ => None,
        };
        if effort.is_none() && schema.is_none() {
            return;
        }
        w.key("outputConfig").object(|w| {
            if let Some(schema) = schema {
                text_format(w, schema);
            }
            w.text_if("effort", effort);
        });
    }

    /// What the model takes and Converse has no place for.
    fn additional(&self, w: &mut Writer, request: &Request<'_>, dropped: &mut Dropped) {
        let nova_top_k = self.top_k.filter(|_| self.model.family.is_nova());
        let top_k = self.top_k.filter(|_| nova_top_k.is_none());
        let fields = || request.extra.iter().filter_map(|one| Some((field(&one.name)?, one)));
        if self.top_k.is_none() && self.thought == Thought::Unasked && fields().next().is_none() {
            return;
        }
        w.key(ADDITIONAL).object(|w| {
            self.thought.write(w);
            w.count_if("top_k", top_k);
            if let Some(top_k) = nova_top_k {
                w.key("inferenceConfig").object(|w| {
                    w.count("topK", top_k);
                });
            }
            for (name, one) in fields() {
                if name == "inferenceConfig" && nova_top_k.is_some() {
                    dropped.add(one.name.clone().into_owned());
                } else {
                    w.member(name, &one.value);
                }
            }
        });
    }
}

/// The name of a field of the model, of an extra that is one.
fn field(name: &str) -> Option<&str> {
    name.strip_prefix(ADDITIONAL)?.strip_prefix('.')
}

/// Converse's temperatures and probabilities end at 1.
fn clamped(value: Option<f64>, name: &'static str, dropped: &mut Dropped) -> Option<f64> {
    let kept = value.map(|value| value.clamp(0.0, 1.0));
    dropped.add_if(kept != value, name);
    kept
}

/// Notes what Converse has no place for.
fn uncarried(request: &Request<'_>, dropped: &mut Dropped) {
    dropped
        .add_if(request.frequency_penalty.is_some_and(|value| value != 0.0), "frequency_penalty");
    dropped.add_if(request.presence_penalty.is_some_and(|value| value != 0.0), "presence_penalty");
    dropped.add_if(request.seed.is_some(), "seed");
    dropped.add_if(request.n.is_some_and(|n| n != 1), "n");
    dropped.add_if(request.logprobs.is_some(), "logprobs");
    dropped.add_if(request.end_user.is_some(), "end_user");
}

/// The schema is told as JSON within a string.
fn text_format(w: &mut Writer, schema: &OutputSchema<'_>) {
    w.key("textFormat").object(|w| {
        w.text("type", "json_schema").key("structure").object(|w| {
            w.key("jsonSchema").object(|w| {
                w.text("schema", &schema.schema);
                w.text_if("name", Some(&*schema.name).filter(|name| !name.is_empty()));
                w.text_if("description", schema.description.as_deref());
            });
        });
    });
}

/// Labels of at most this many letters, and so many of them.
const MOST_LABEL: usize = 256;
const MOST_LABELS: usize = 16;

/// The client's labels, if they are such as Bedrock allows.
fn metadata(w: &mut Writer, request: &Request<'_>, dropped: &mut Dropped) {
    let Some(raw) = &request.metadata else { return };
    let fits = |text: &str, least: usize| {
        (least..=MOST_LABEL).contains(&text.len()) && text.chars().all(is_label)
    };
    let allowed = Value::parse(raw).is_ok_and(|value| {
        let labels = value.members();
        (1..=MOST_LABELS).contains(&labels.len())
            && labels.iter().all(|(name, value)| {
                fits(name, 1) && value.as_str().is_some_and(|text| fits(text, 0))
            })
    });
    if allowed {
        w.member("requestMetadata", raw);
    } else {
        dropped.add("metadata");
    }
}

fn is_label(c: char) -> bool {
    c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":_@$#=/+,-.".contains(c)
}
