//! How much a model is asked to think, in its own words.

use super::models::{Family, Model};
use super::turns::Plan;
use crate::chat::{Effort, Reasoning, Request};
use crate::format::Dropped;
use crate::writer::Writer;

/// Claude's smallest budget.
const LEAST: u64 = 1024;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thought {
    /// Nothing: most models do not think then.
    Unasked,
    /// Claude: up to so many tokens.
    Budget(u64),
    /// Claude: as much as it likes, with this effort.
    Adaptive { effort: &'static str, display: Option<&'static str> },
    /// Nova.
    Nova(&'static str),
    /// gpt-oss.
    Flat(&'static str),
    /// OpenAI's other models.
    Nested(&'static str),
}

impl Thought {
    /// `most` is the most tokens that the reply may have, if known.
    pub(super) fn plan(
        request: &Request<'_>,
        plan: &Plan<'_>,
        model: Model,
        most: Option<u64>,
        forced: bool,
        dropped: &mut Dropped,
    ) -> Self {
        let Some(reasoning) = &request.reasoning else { return Thought::Unasked };
        let Some(effort) = effort_of(reasoning) else { return Thought::Unasked };
        match model.family {
            Family::GptOss => {
                let clamped = !matches!(effort, Effort::Low | Effort::Medium | Effort::High);
                dropped.add_if(clamped, "reasoning (clamped)");
                return Thought::Flat(coarse(effort));
            }
            Family::Openai => return Thought::Nested(fine(effort)),
            _ if effort == Effort::None => return Thought::Unasked,
            Family::NovaThinking => return Thought::Nova(coarse(effort)),
            Family::ClaudeBudget | Family::ClaudeAdaptive | Family::ClaudeAdaptiveOnly => {}
            _ => {
                dropped.add("reasoning");
                return Thought::Unasked;
            }
        }
        let budget = model.family == Family::ClaudeBudget;
        // Claude refuses to think when a call is forced; with a budget, also after calls without thought.
        if forced || (budget && plan.calls_without_thought()) {
            dropped.add("reasoning");
            return Thought::Unasked;
        }
        if budget {
            return budget_of(reasoning.budget, effort, most, dropped);
        }
        let effort = match effort {
            // Claude 4.6 does not know `xhigh`.
            Effort::XHigh if model.family == Family::ClaudeAdaptive => "max",
            Effort::Minimal => "low",
            other => fine(other),
        };
        let display = reasoning.visible.map(|seen| if seen { "summarized" } else { "omitted" });
        Thought::Adaptive { effort, display }
    }

    /// Whether a Claude thinks, and so has its sampling restricted.
    pub(super) fn restricts(self) -> bool {
        matches!(self, Thought::Budget(_) | Thought::Adaptive { .. })
    }

    /// Writes it among the fields of the model.
    pub(super) fn write(self, w: &mut Writer) {
        match self {
            Thought::Unasked => {}
            Thought::Budget(tokens) => w.key("thinking").object(|w| {
                w.text("type", "enabled").count("budget_tokens", tokens);
            }),
            Thought::Adaptive { display, .. } => w.key("thinking").object(|w| {
                w.text("type", "adaptive").text_if("display", display);
            }),
            Thought::Nova(effort) => w.key("reasoningConfig").object(|w| {
                w.text("type", "enabled").text("maxReasoningEffort", effort);
            }),
            Thought::Flat(effort) => drop(w.text("reasoning_effort", effort)),
            Thought::Nested(effort) => w.key("reasoning").object(|w| {
                w.text("effort", effort);
            }),
        }
    }
}

/// The budget, if there is room for one.
fn budget_of(
    given: Option<u64>,
    effort: Effort,
    most: Option<u64>,
    dropped: &mut Dropped,
) -> Thought {
    let wanted = given.unwrap_or(match effort {
        Effort::None | Effort::Minimal => LEAST,
        Effort::Low => 4096,
        Effort::Medium => 10_000,
        Effort::High => 24_000,
        Effort::XHigh => 32_000,
    });
    // The reply has to have more tokens than the thought in it.
    let room = most
        .map_or(u64::MAX, |most| if given.is_some() { most.saturating_sub(1) } else { most / 2 });
    if room < LEAST {
        dropped.add("reasoning");
        return Thought::Unasked;
    }
    let budget = wanted.clamp(LEAST, room);
    dropped.add_if(given.is_some_and(|given| given != budget), "reasoning (clamped)");
    Thought::Budget(budget)
}

/// The effort, or the one that a budget comes closest to.
fn effort_of(reasoning: &Reasoning<'_>) -> Option<Effort> {
    let of_budget = |tokens| match tokens {
        0 => Effort::None,
        1..=1024 => Effort::Minimal,
        1025..=4096 => Effort::Low,
        4097..=16_384 => Effort::Medium,
        16_385..=32_768 => Effort::High,
        _ => Effort::XHigh,
    };
    reasoning.effort.or_else(|| reasoning.budget.map(of_budget))
}

/// OpenAI's words.
fn fine(effort: Effort) -> &'static str {
    match effort {
        Effort::None => "none",
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::XHigh => "xhigh",
    }
}

/// The three that all know.
fn coarse(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::XHigh => "high",
    }
}
