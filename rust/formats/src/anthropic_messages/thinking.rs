//! How much to think, in both directions.

use crate::chat::{Block, Effort, Message, Reasoning, Request, Role, Signature};
use crate::format::{Dropped, Kind, Target};
use crate::value::Value;
use crate::writer::Writer;

/// Anthropic takes no smaller budget.
const LEAST_BUDGET: u64 = 1024;
/// Nucleus sampling below this is refused while the model thinks.
const LEAST_TOP_P: f64 = 0.95;

fn budget_of(effort: Effort) -> u64 {
    match effort {
        Effort::None => 0,
        Effort::Minimal => 1024,
        Effort::Low => 4096,
        Effort::Medium => 10_000,
        Effort::High => 24_000,
        Effort::XHigh => 32_000,
    }
}

fn effort_in(word: &str) -> Option<Effort> {
    Some(match word {
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" | "max" => Effort::XHigh,
        _ => return None,
    })
}

fn effort_out(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::XHigh => "xhigh",
    }
}

/// `thinking` and `output_config.effort`, which together say how much.
pub(super) fn read<'a>(
    thinking: Option<&Value<'a>>,
    output_config: Option<&Value<'a>>,
) -> Option<Reasoning<'a>> {
    let effort = output_config?.get("effort").and_then(|word| effort_in(word.as_str()?));
    read_with(thinking, effort)
}

/// As [`read`], the effort being known.
pub(super) fn read_with<'a>(
    thinking: Option<&Value<'a>>,
    effort: Option<Effort>,
) -> Option<Reasoning<'a>> {
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
        Some("disabled") => Some(Effort::None),
        _ => effort,
    };
    Some(Reasoning { effort, budget, visible, ..Reasoning::default() })
}

/// What is asked of a model that thinks.
pub(super) enum Plan {
    /// Nothing.
    Off,
    /// As much as the model finds right for the effort.
    Adaptive(Option<Effort>),
    /// Up to that many tokens.
    Budget(u64),
}

/// What to ask for, given what the reply may be long.
pub(super) fn plan(
    request: &Request<'_>,
    target: &Target<'_>,
    max_tokens: u64,
    dropped: &mut Dropped,
) -> Plan {
    let Some(reasoning) = &request.reasoning else { return Plan::Off };
    if reasoning.effort == Some(Effort::None) {
        return Plan::Off;
    }
    if !target.reasoning {
        dropped.add("reasoning");
        return Plan::Off;
    }
    if is_mid_turn_without_thought(&request.messages) {
        dropped.add("reasoning");
        return Plan::Off;
    }
    let budget = match (reasoning.budget, reasoning.effort) {
        (Some(budget), _) => budget,
        (None, effort) if is_adaptive(target.model) => return Plan::Adaptive(effort),
        (None, effort) => budget_of(effort.unwrap_or(Effort::Medium)),
    };
    if max_tokens <= LEAST_BUDGET {
        dropped.add("reasoning");
        return Plan::Off;
    }
    Plan::Budget(budget.clamp(LEAST_BUDGET, max_tokens - 1))
}

/// Whether the model is in the middle of a turn, waiting for its tools, that it began without a thought
/// of its own: the API refuses to let it think then. Thoughts of other models do not count.
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

/// Whether the model decides itself how long to think. Models before Claude 4.6 do not; names that say
/// nothing are taken for newer ones.
fn is_adaptive(model: &str) -> bool {
    let Some(at) = model.find("claude") else { return true };
    let numbers =
        model[at..].split(['-', '.', '@', ':']).filter_map(|part| part.parse::<u32>().ok());
    // Dates are no versions.
    let mut version = numbers.filter(|number| *number < 1000);
    match (version.next(), version.next()) {
        (Some(major), _) if major < 4 => false,
        (Some(4), minor) => minor.unwrap_or(0) >= 6,
        _ => true,
    }
}

impl Plan {
    /// Whether the model is going to think.
    pub(super) fn is_on(&self) -> bool {
        !matches!(self, Plan::Off)
    }

    /// The effort, for `output_config`.
    pub(super) fn effort(&self) -> Option<&'static str> {
        if let Plan::Adaptive(effort) = self { effort.map(effort_out) } else { None }
    }

    /// Writes `thinking`.
    pub(super) fn write(&self, w: &mut Writer, reasoning: Option<&Reasoning<'_>>) {
        let display = reasoning.and_then(|reasoning| reasoning.visible);
        let display = display.map(|visible| if visible { "summarized" } else { "omitted" });
        match self {
            // Newer models think unless they are told not to.
            Plan::Off => {
                if reasoning.is_some_and(|reasoning| reasoning.effort == Some(Effort::None)) {
                    w.member("thinking", "{\"type\":\"disabled\"}");
                }
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

    /// Writes the sampling that a thinking model takes: none but a wide `top_p`.
    pub(super) fn sampling(&self, w: &mut Writer, request: &Request<'_>, dropped: &mut Dropped) {
        if !self.is_on() {
            return sampling(w, request, dropped);
        }
        dropped.add_if(request.temperature.is_some_and(|given| given != 1.0), "temperature");
        dropped.add_if(request.top_k.is_some(), "top_k");
        let wide = request.top_p.filter(|given| (LEAST_TOP_P..=1.0).contains(given));
        dropped.add_if(request.top_p.is_some() && wide.is_none(), "top_p");
        w.float_if("top_p", wide);
    }
}

fn sampling(w: &mut Writer, request: &Request<'_>, dropped: &mut Dropped) {
    let temperature = request.temperature.map(|given| given.clamp(0.0, 1.0));
    dropped.add_if(temperature != request.temperature, "temperature (clamped)");
    w.float_if("temperature", temperature).float_if("top_p", request.top_p);
    w.count_if("top_k", request.top_k);
}
