//! How much a model thinks, by the ways in which its generation is told.
//!
//! | effort | Gemini 2.5: `thinkingBudget` | Gemini 3 and later: `thinkingLevel` |
//! |---|---|---|
//! | none | 0; Pro cannot stop: 128 | the lowest level |
//! | minimal | 1024 | `MINIMAL`, or `LOW` where there is none |
//! | low | 2048 | `LOW` |
//! | medium | 8192 | `MEDIUM` (3 Pro: `HIGH`) |
//! | high | 24576 | `HIGH` |
//! | xhigh | 32768 (Pro) or 24576 | `HIGH` |
//!
//! Budgets of Gemini 2.5: Pro 128 to 32768, Flash up to 24576, Flash-Lite 512 to 24576. Later models
//! refuse budgets: up to 1024 is taken for minimal, up to 4096 for low, up to 16384 for medium, the rest
//! for high. A level and a budget in one request are an error. Earlier models do not think. `MINIMAL`
//! exists for Flash from 3 to 3.6. (Reference: "Gemini thinking", and "Thinking" of Vertex AI.)

use crate::chat::{Effort, Reasoning};
use crate::format::{Dropped, Target};
use crate::writer::Writer;

/// What a model's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    /// Ten times the version: 25, 30, 31, …
    pub(super) version: Option<u32>,
    pro: bool,
    lite: bool,
}

impl Model {
    pub(super) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let version = name.split_once("gemini-").and_then(|(_, rest)| {
            let mut digits = rest.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
            let (major, minor) = digits.next()?.split_once('.').unwrap_or((rest, "0"));
            let major = major.split(|letter: char| !letter.is_ascii_digit()).next()?;
            Some(10 * major.parse::<u32>().ok().filter(|major| *major < 100)? + first_digit(minor))
        });
        Model { version, pro: name.contains("pro"), lite: name.contains("lite") }
    }

    /// It refuses calls in its history that have no proof of a thought.
    pub(super) fn wants_proofs(self) -> bool {
        self.version.is_some_and(|version| version >= 30)
    }

    /// Results of functions may hold pictures and documents.
    pub(super) fn sees_results(self) -> bool {
        self.version.is_none_or(|version| version >= 30)
    }

    fn level(self, effort: Effort) -> (&'static str, bool) {
        let minimal = matches!(self.version, Some(30..=36) | None) && !self.pro;
        match effort {
            Effort::None | Effort::Minimal if minimal => ("MINIMAL", effort == Effort::None),
            Effort::None | Effort::Minimal => ("LOW", true),
            Effort::Low => ("LOW", false),
            Effort::Medium if self.pro && self.version == Some(30) => ("HIGH", true),
            Effort::Medium => ("MEDIUM", false),
            Effort::High => ("HIGH", false),
            Effort::XHigh => ("HIGH", true),
        }
    }

    fn budget(self, asked: u64) -> u64 {
        match (self.pro, self.lite) {
            (true, _) => asked.clamp(128, 32_768),
            (_, true) if asked > 0 => asked.clamp(512, 24_576),
            _ => asked.min(24_576),
        }
    }
}

fn first_digit(text: &str) -> u32 {
    text.chars().next().and_then(|digit| digit.to_digit(10)).unwrap_or(0)
}

fn budget_of(effort: Effort) -> u64 {
    match effort {
        Effort::None => 0,
        Effort::Minimal => 1024,
        Effort::Low => 2048,
        Effort::Medium => 8192,
        Effort::High => 24_576,
        Effort::XHigh => 32_768,
    }
}

fn effort_of(budget: u64) -> Effort {
    match budget {
        0..=1024 => Effort::Minimal,
        1025..=4096 => Effort::Low,
        4097..=16_384 => Effort::Medium,
        _ => Effort::High,
    }
}

/// `thinkingConfig`, if there is anything to say.
pub(super) fn write(
    w: &mut Writer,
    reasoning: Option<&Reasoning<'_>>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) {
    let Some(reasoning) = reasoning else { return };
    let model = Model::of(target.known_as());
    if !target.reasoning || model.version.is_some_and(|version| version < 25) {
        // Not to think is what the others do anyway.
        let asks = reasoning.effort.is_some_and(|effort| effort != Effort::None);
        dropped.add_if(asks || reasoning.budget.is_some(), "reasoning");
        return;
    }
    let told = amount(reasoning, model);
    // Who asks for thought in a dialect that shows it without being asked wants to see it.
    let asks = reasoning.effort.is_some() || reasoning.budget.is_some();
    let shown = reasoning.visible.unwrap_or(asks && reasoning.effort != Some(Effort::None));
    if told.is_none() && !shown {
        return;
    }
    w.key("thinkingConfig").object(|w| {
        w.flag_if("includeThoughts", shown.then_some(true));
        match told {
            None => {}
            Some((Amount::Dynamic, _)) => w.key("thinkingBudget").integer(-1),
            Some((Amount::Budget(tokens), _)) => w.key("thinkingBudget").number(tokens),
            Some((Amount::Level(level), _)) => w.key("thinkingLevel").string(level),
        }
    });
    dropped.add_if(told.is_some_and(|(_, changed)| changed), "reasoning (clamped)");
}

enum Amount {
    Dynamic,
    Budget(u64),
    Level(&'static str),
}

/// How the model is told, and whether that is not quite what was asked.
fn amount(reasoning: &Reasoning<'_>, model: Model) -> Option<(Amount, bool)> {
    let leveled = |effort| {
        let (level, changed) = model.level(effort);
        Some((Amount::Level(level), changed))
    };
    match (model.version, reasoning.effort, reasoning.budget) {
        (Some(30..), Some(effort), _) => leveled(effort),
        (Some(30..), None, Some(budget)) => leveled(effort_of(budget)),
        (Some(30..) | None, None, None) => None,
        (Some(_), effort, budget) => {
            let Some(asked) = budget.or(effort.map(budget_of)) else {
                return Some((Amount::Dynamic, false));
            };
            let given = model.budget(asked);
            // An effort's number is ours, so that only turning off can fail.
            let changed = given != asked && (budget.is_some() || asked == 0);
            Some((Amount::Budget(given), changed))
        }
        // A name that says nothing: each is told in its own words.
        (None, Some(Effort::None), _) => Some((Amount::Budget(0), false)),
        (None, Some(effort), _) => leveled(effort),
        (None, None, Some(budget)) => Some((Amount::Budget(budget), false)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn told(model: &str, effort: Option<Effort>, budget: Option<u64>) -> (String, Vec<String>) {
        let target = Target { model, reasoning: true, ..Target::default() };
        let reasoning = Reasoning { effort, budget, ..Reasoning::default() };
        let mut dropped = Dropped::default();
        let mut w = Writer::new();
        w.object(|w| write(w, Some(&reasoning), &target, &mut dropped));
        let names = dropped.names().iter().map(ToString::to_string).collect();
        (String::from_utf8(w.finish()).unwrap(), names)
    }

    #[test]
    fn every_generation_is_told_in_its_own_words() {
        let clamped = "reasoning (clamped)";
        for (model, effort, budget, told_as, notes) in [
            ("gemini-2.5-flash", Some(Effort::Medium), None, "thinkingBudget\":8192", ""),
            ("gemini-2.5-flash", Some(Effort::None), None, "thinkingBudget\":0", ""),
            ("gemini-2.5-pro", Some(Effort::None), None, "thinkingBudget\":128", clamped),
            ("gemini-2.5-pro", Some(Effort::XHigh), None, "thinkingBudget\":32768", ""),
            ("gemini-2.5-flash", None, Some(60_000), "thinkingBudget\":24576", clamped),
            ("gemini-2.5-flash-lite", None, Some(100), "thinkingBudget\":512", clamped),
            ("gemini-2.5-flash-lite", None, None, "thinkingBudget\":-1", ""),
            ("gemini-3-pro-preview", Some(Effort::Medium), None, "thinkingLevel\":\"HIGH", clamped),
            ("gemini-3.1-pro", Some(Effort::Medium), None, "thinkingLevel\":\"MEDIUM", ""),
            ("gemini-3-flash", Some(Effort::Minimal), None, "thinkingLevel\":\"MINIMAL", ""),
            ("gemini-3.8-flash", Some(Effort::Minimal), None, "thinkingLevel\":\"LOW", clamped),
            ("gemini-4-argon", Some(Effort::None), None, "thinkingLevel\":\"LOW", clamped),
            ("models/Gemini-3.5-flash", None, Some(8192), "thinkingLevel\":\"MEDIUM", ""),
            ("tuned", None, Some(60_000), "thinkingBudget\":60000", ""),
            ("tuned", Some(Effort::High), None, "thinkingLevel\":\"HIGH", ""),
        ] {
            let (body, names) = told(model, effort, budget);
            assert!(body.contains(told_as), "{model} {effort:?} {budget:?}: {body}");
            assert_eq!(names.join(""), notes, "{model} {effort:?} {budget:?}");
        }
    }

    #[test]
    fn a_model_that_does_not_think_is_not_told() {
        let (body, names) = told("gemini-2.0-flash", Some(Effort::High), None);
        assert_eq!((&body[..], names), ("{}", vec!["reasoning".to_owned()]));
        assert_eq!(told("gemini-1.5-pro", Some(Effort::None), None).1, [""; 0]);
        assert_eq!(told("gemini-3-flash", None, None).0, "{}");
    }

    #[test]
    fn thoughts_are_shown_to_who_asks_for_them() {
        assert!(
            told("gemini-3-flash", Some(Effort::Low), None).0.contains("includeThoughts\":true")
        );
        assert!(!told("gemini-3-flash", Some(Effort::None), None).0.contains("includeThoughts"));
    }
}
