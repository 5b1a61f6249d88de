//! What the Claude models take, as far as their names tell.
//!
//! Facts of Anthropic's migration guides up to Claude 5.5. A Claude whose name has no version is taken for
//! the newest; of models of others, at hosts that only follow the format, nothing is known, and they are
//! told what the format has always had.

/// Who a model is. Versions are `major * 100 + minor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    line: Line,
    version: u32,
    /// The host is Anthropic, or hosts Claude for it.
    original: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Fable and Mythos, who always think.
    Fable,
    Opus,
    Sonnet,
    Haiku,
    /// A Claude of no known line.
    Claude,
    /// No Claude.
    Foreign,
}

/// How a model is kept from thinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Off {
    /// By `thinking: disabled`.
    Disabled,
    /// By `thinking: between_tools`, which is as little as it does.
    BetweenTools,
    /// It is not.
    Never,
}

/// Which of `temperature`, `top_p` and `top_k` a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    /// All.
    Free,
    /// Either `temperature` or `top_p`.
    OneOf,
    /// None that is not the default.
    Fixed,
}

const LINES: [(&str, Line); 5] = [
    ("fable", Line::Fable),
    ("mythos", Line::Fable),
    ("opus", Line::Opus),
    ("sonnet", Line::Sonnet),
    ("haiku", Line::Haiku),
];

impl Model {
    pub(super) fn of(name: &str, original: bool) -> Self {
        let Some(at) = name.find("claude") else {
            return Model { line: Line::Foreign, version: 0, original };
        };
        let name = &name[at..];
        let line = LINES.iter().find(|(word, _)| name.contains(word));
        let numbers = name.split(['-', '.', '@', ':', '_']).filter_map(|part| part.parse().ok());
        // Dates are no versions.
        let mut numbers = numbers.filter(|number: &u32| *number < 100);
        let version = match (numbers.next(), numbers.next()) {
            (Some(major), minor) => major * 100 + minor.unwrap_or(0),
            _ => u32::MAX,
        };
        Model { line: line.map_or(Line::Claude, |(_, line)| *line), version, original }
    }

    fn is_claude(self) -> bool {
        self.line != Line::Foreign
    }

    /// Whether it is a Claude of that version or later.
    fn since(self, version: u32) -> bool {
        self.is_claude() && self.version >= version
    }

    /// Whether it decides itself how long to think, told an effort.
    pub(super) fn adapts(self) -> bool {
        if self.is_claude() { self.since(406) } else { self.original }
    }

    /// Whether it takes a budget for its thoughts.
    pub(super) fn takes_budget(self) -> bool {
        !self.since(407)
    }

    /// The word for its effort above `high`.
    pub(super) fn most_effort(self) -> &'static str {
        if self.is_claude() && !self.since(407) { "max" } else { "xhigh" }
    }

    pub(super) fn off(self) -> Off {
        match self.line {
            Line::Fable => Off::Never,
            Line::Opus | Line::Claude if self.since(505) => Off::Never,
            Line::Sonnet if self.since(505) => Off::BetweenTools,
            _ => Off::Disabled,
        }
    }

    pub(super) fn sampling(self) -> Sampling {
        if self.since(407) {
            Sampling::Fixed
        } else if self.since(401) {
            Sampling::OneOf
        } else {
            Sampling::Free
        }
    }

    /// Whether it can be made to call a tool at all.
    pub(super) fn can_be_forced(self) -> bool {
        match self.line {
            Line::Fable => !self.since(501),
            Line::Haiku | Line::Foreign => true,
            Line::Opus | Line::Sonnet | Line::Claude => !self.since(505),
        }
    }

    /// Whether it can be made to call a tool while it thinks.
    pub(super) fn thinks_when_forced(self) -> bool {
        self.since(408)
    }

    /// Whether the system may speak up within the conversation.
    pub(super) fn hears_system_inside(self) -> bool {
        let since = match self.line {
            Line::Fable => 500,
            Line::Opus => 408,
            Line::Sonnet | Line::Haiku | Line::Claude => 505,
            Line::Foreign => return self.original,
        };
        self.original && self.since(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str) -> Model {
        Model::of(name, true)
    }

    #[test]
    fn names_tell_line_and_version() {
        for (name, line, version) in [
            ("claude-3-haiku-20240307", Line::Haiku, 300),
            ("claude-3-7-sonnet-20250219", Line::Sonnet, 307),
            ("claude-sonnet-4-20250514", Line::Sonnet, 400),
            ("claude-opus-4-5@20251101", Line::Opus, 405),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", Line::Sonnet, 400),
            ("anthropic/claude-opus-4.7", Line::Opus, 407),
            ("claude-haiku-5-5", Line::Haiku, 505),
            ("claude-mythos-5", Line::Fable, 500),
            ("claude-opus-latest", Line::Opus, u32::MAX),
            ("kimi-k2", Line::Foreign, 0),
        ] {
            assert_eq!(model(name), Model { line, version, original: true }, "{name}");
        }
    }

    #[test]
    fn newer_models_take_no_budget_and_no_sampling() {
        let facts = |name: &str| {
            let model = model(name);
            (model.adapts(), model.takes_budget(), model.sampling())
        };
        assert_eq!(facts("claude-sonnet-4-0"), (false, true, Sampling::Free));
        assert_eq!(facts("claude-sonnet-4-5"), (false, true, Sampling::OneOf));
        assert_eq!(facts("claude-opus-4-6"), (true, true, Sampling::OneOf));
        assert_eq!(facts("claude-opus-4-7"), (true, false, Sampling::Fixed));
        assert_eq!(facts("claude-sonnet-5"), (true, false, Sampling::Fixed));
        assert_eq!(facts("some-model"), (true, true, Sampling::Free));
    }

    #[test]
    fn some_models_always_think() {
        for (name, off) in [
            ("claude-opus-4-8", Off::Disabled),
            ("claude-opus-5", Off::Disabled),
            ("claude-haiku-5-5", Off::Disabled),
            ("claude-sonnet-5-5", Off::BetweenTools),
            ("claude-opus-5-5", Off::Never),
            ("claude-fable-5", Off::Never),
        ] {
            assert_eq!(model(name).off(), off, "{name}");
        }
    }

    #[test]
    fn some_models_cannot_be_made_to_call_a_tool() {
        let facts = |name: &str| (model(name).can_be_forced(), model(name).thinks_when_forced());
        assert_eq!(facts("claude-opus-4-6"), (true, false));
        assert_eq!(facts("claude-opus-4-8"), (true, true));
        assert_eq!(facts("claude-fable-5"), (true, true));
        assert_eq!(facts("claude-haiku-5-5"), (true, true));
        for name in ["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1"] {
            assert!(!model(name).can_be_forced(), "{name}");
        }
    }

    #[test]
    fn only_some_hear_the_system_within_the_conversation() {
        for name in ["claude-opus-4-8", "claude-fable-5", "claude-sonnet-5-5", "some-model"] {
            assert!(model(name).hears_system_inside(), "{name}");
            assert!(!Model::of(name, false).hears_system_inside(), "{name} elsewhere");
        }
        for name in ["claude-opus-4-7", "claude-sonnet-5", "claude-haiku-4-5"] {
            assert!(!model(name).hears_system_inside(), "{name}");
        }
    }
}
