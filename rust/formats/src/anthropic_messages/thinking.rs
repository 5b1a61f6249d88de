//! How much to think, in both directions.

use super::models::{Model, Off};
use crate::chat::{Block, Effort, Message, Reasoning, Request, Role, Signature};
use crate::format::{Dropped, Kind, Target};
use crate::value::Value;
use crate::writer::Writer;

/// Anthropic takes no smaller budget.
const LEAST_BUDGET: u64 = 1024;

fn budget_of(effort: Effort) -> u64 {
    match effort {
        Effort::None | Effort::Minimal => LEAST_BUDGET,
        Effort::Low => 4096,
        Effort::Medium => 10_000,
        Effort::High => 24_000,
        Effort::XHigh => 32_000,
    }
}

/// The effort that a budget comes closest to.
fn effort_of(budget: u64) -> Effort {
    match budget {
        0 => Effort::None,
        1..=1024 => Effort::Minimal,
        1025..=4096 => Effort::Low,
        4097..=16_384 => Effort::Medium,
        16_385..=32_768 => Effort::High,
        _ => Effort::XHigh,
    }
}

/// The effort that a word of `output_config` stands for.
pub(super) fn effort_in(word: &str) -> Option<Effort> {
    Some(match word {
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" | "max" => Effort::XHigh,
        _ => return None,
    })
}

/// `thinking` and `output_config.effort`, which together say how much.
pub(super) fn read<'a>(
    thinking: Option<&Value<'a>>,
    output_config: Option<&Value<'a>>,
) -> Option<Reasoning<'a>> {
    let word = output_config.and_then(|config| config.get("effort"));
    let effort = word.and_then(|word| effort_in(word.as_str()?));
    let Some(thinking) = thinking else {
        return effort.map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() });
    };
    let visible = match thinking.get("display").and_then(Value::as_str) {
        Some("omitted") => Some(false),
        Some(_) => Some(true),
        None => None,
    };
    let budget = thinking.get("budget_tokens").and_then(Value::as_u64);
    let effort = match thinking.get("type").and_then(Value::as_str) {
        // The latter is how newer models are told the former.
        Some("disabled" | "between_tools") => Some(Effort::None),
        _ => effort,
    };
    Some(Reasoning { effort, budget, visible, ..Reasoning::default() })
}

/// What is asked of a model that thinks.
pub(super) enum Plan {
    /// Nothing: it does what it does.
    Unasked,
    /// Not to think.
    Off(&'static str),
    /// As much as the model finds right for the effort.
    Adaptive(Option<&'static str>),
    /// Up to that many tokens.
    Budget(u64),
}

/// What to ask for. `forced`: a tool has to be called.
pub(super) fn plan(
    request: &Request<'_>,
    target: &Target<'_>,
    model: Model,
    max_tokens: u64,
    forced: bool,
    dropped: &mut Dropped,
) -> Plan {
    let Some(reasoning) = &request.reasoning else { return Plan::Unasked };
    let asked = reasoning.effort.or_else(|| reasoning.budget.map(effort_of));
    if !target.reasoning {
        dropped.add_if(asked != Some(Effort::None), "reasoning");
        return Plan::Unasked;
    }
    if asked == Some(Effort::None) {
        return off(model, dropped);
    }
    if forced && !model.thinks_when_forced() {
        dropped.add("reasoning");
        return Plan::Unasked;
    }
    if model.adapts() && (reasoning.budget.is_none() || !model.takes_budget()) {
        return Plan::Adaptive(asked.map(|effort| effort_out(effort, model)));
    }
    budget(request, reasoning, max_tokens, dropped)
}

fn off(model: Model, dropped: &mut Dropped) -> Plan {
    match model.off() {
        Off::Disabled => Plan::Off("{\"type\":\"disabled\"}"),
        Off::BetweenTools => Plan::Off("{\"type\":\"between_tools\"}"),
        Off::Never => {
            dropped.add("reasoning (clamped)");
            Plan::Adaptive(Some("low"))
        }
    }
}

fn effort_out(effort: Effort, model: Model) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::XHigh => model.most_effort(),
    }
}

/// The budget, if there is room for one: thoughts count as part of the reply.
fn budget(
    request: &Request<'_>,
    reasoning: &Reasoning<'_>,
    max_tokens: u64,
    dropped: &mut Dropped,
) -> Plan {
    let room = match reasoning.budget {
        Some(_) => max_tokens.saturating_sub(1),
        None => max_tokens / 2,
    };
    if room < LEAST_BUDGET || is_mid_turn_without_thought(&request.messages) {
        dropped.add("reasoning");
        return Plan::Unasked;
    }
    let usual = || budget_of(reasoning.effort.unwrap_or(Effort::Medium));
    let budget = reasoning.budget.unwrap_or_else(usual).clamp(LEAST_BUDGET, room);
    dropped.add_if(reasoning.budget.is_some_and(|given| given != budget), "reasoning (clamped)");
    Plan::Budget(budget)
}

/// Whether the model is in the middle of a turn, waiting for its tools, that it began without a thought
/// of its own: the API refuses to let it think up to a budget then. Thoughts of other models do not count.
fn is_mid_turn_without_thought(messages: &[Message<'_>]) -> bool {
    let Some(at) = messages.iter().rposition(|message| message.role == Role::Assistant) else {
        return false;
    };
    let answers = messages[at + 1..].iter().flat_map(|message| &message.blocks);
    let mut answers = answers.filter(|block| matches!(block, Block::ToolResult { .. }));
    let own = |one: &Signature<'_>| one.origin == Kind::AnthropicMessages;
    let thought = messages[at].blocks.iter().any(
        |block| matches!(block, Block::Thinking(one) if one.signature.as_ref().is_some_and(own)),
    );
    answers.next().is_some() && !thought
}

impl Plan {
    /// Whether the model is asked to think.
    pub(super) fn is_on(&self) -> bool {
        matches!(self, Plan::Adaptive(_) | Plan::Budget(_))
    }

    /// The effort, for `output_config`.
    pub(super) fn effort(&self) -> Option<&'static str> {
        if let Plan::Adaptive(effort) = self { *effort } else { None }
    }

    /// Writes `thinking`.
    pub(super) fn write(&self, w: &mut Writer, reasoning: Option<&Reasoning<'_>>) {
        let display = reasoning.and_then(|reasoning| reasoning.visible);
        let display = display.map(|visible| if visible { "summarized" } else { "omitted" });
        match self {
            Plan::Unasked => {}
            Plan::Off(config) => {
                w.member("thinking", config);
            }
            Plan::Adaptive(_) => w.key("thinking").object(|w| {
                w.text("type", "adaptive").text_if("display", display);
            }),
            Plan::Budget(tokens) => w.key("thinking").object(|w| {
                w.text("type", "enabled").count("budget_tokens", *tokens);
                w.text_if("display", display);
            }),
        }
    }
}
