//! What the models behind Bedrock take, as far as their ids tell.
//!
//! Ids name the maker, perhaps behind a region or within an ARN (`us.anthropic.claude-…`). The ARN of
//! an application's own inference profile tells nothing: unless the configuration says whose it is
//! ([`crate::format::Target::base_model`]), such a model is sent plain Converse.

/// The maker, and the ways in which its models differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Claude before it thought.
    Claude,
    /// Claude 3.7 to 4.5: thinks up to a budget.
    ClaudeBudget,
    /// Claude 4.6: thinks as much as it likes, by an effort.
    ClaudeAdaptive,
    /// Newer ones: the same, and their sampling cannot be changed.
    ClaudeAdaptiveOnly,
    /// Amazon's Nova.
    Nova,
    /// Nova 2, which thinks.
    NovaThinking,
    /// OpenAI's open models.
    GptOss,
    /// OpenAI's other models.
    Openai,
    /// Mistral's.
    Mistral,
    /// Those who cannot be made to call a tool.
    Unforced,
    /// All others.
    Other,
}

/// What is known of a model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model {
    pub(super) family: Family,
    /// It takes cache points; others answer them with an error.
    pub(super) caches: bool,
}

/// Parts of ids and whose they are: the first that is there decides.
const FAMILIES: [(&str, Family); 11] = [
    ("claude", Family::ClaudeAdaptiveOnly),
    ("amazon.nova-2", Family::NovaThinking),
    ("amazon.nova", Family::Nova),
    ("openai.gpt-oss", Family::GptOss),
    ("openai.", Family::Openai),
    ("mistral.", Family::Mistral),
    ("meta.", Family::Unforced),
    ("cohere.", Family::Unforced),
    ("ai21.", Family::Unforced),
    ("deepseek.", Family::Unforced),
    ("amazon.titan", Family::Unforced),
];

/// The same for Claude's older versions.
const CLAUDES: [(&str, Family); 8] = [
    ("claude-3-7", Family::ClaudeBudget),
    ("-4-2025", Family::ClaudeBudget),
    ("-4-1", Family::ClaudeBudget),
    ("-4-5", Family::ClaudeBudget),
    ("-4-6", Family::ClaudeAdaptive),
    ("claude-3", Family::Claude),
    ("claude-v", Family::Claude),
    ("claude-instant", Family::Claude),
];

impl Model {
    pub(super) fn of(id: &str) -> Self {
        let family = Family::of(id);
        let caches = match family {
            Family::Claude => id.contains("claude-3-5-haiku") || id.contains("-20241022-v2"),
            other => other.is_claude() || other.is_nova(),
        };
        Model { family, caches }
    }
}

impl Family {
    fn of(id: &str) -> Self {
        let first = |list: &[(&str, Family)]| {
            list.iter().find(|(part, _)| id.contains(part)).map(|(_, family)| *family)
        };
        match first(&FAMILIES) {
            Some(Family::ClaudeAdaptiveOnly) => {
                first(&CLAUDES).unwrap_or(Family::ClaudeAdaptiveOnly)
            }
            other => other.unwrap_or(Family::Other),
        }
    }

    pub(super) fn is_claude(self) -> bool {
        matches!(
            self,
            Family::Claude
                | Family::ClaudeBudget
                | Family::ClaudeAdaptive
                | Family::ClaudeAdaptiveOnly
        )
    }

    pub(super) fn is_nova(self) -> bool {
        matches!(self, Family::Nova | Family::NovaThinking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_the_family() {
        for (id, family) in [
            ("anthropic.claude-3-haiku-20240307-v1:0", Family::Claude),
            ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", Family::ClaudeBudget),
            ("eu.anthropic.claude-sonnet-4-20250514-v1:0", Family::ClaudeBudget),
            ("global.anthropic.claude-opus-4-5-20251101-v1:0", Family::ClaudeBudget),
            (
                "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-6-v1",
                Family::ClaudeAdaptive,
            ),
            ("us.anthropic.claude-opus-4-7", Family::ClaudeAdaptiveOnly),
            ("anthropic.claude-sonnet-5", Family::ClaudeAdaptiveOnly),
            ("us.amazon.nova-2-lite-v1:0", Family::NovaThinking),
            ("amazon.nova-pro-v1:0", Family::Nova),
            ("openai.gpt-oss-120b-1:0", Family::GptOss),
            ("us.openai.gpt-5.2", Family::Openai),
            ("mistral.mistral-large-2407-v1:0", Family::Mistral),
            ("us.meta.llama4-scout-17b-instruct-v1:0", Family::Unforced),
            ("qwen.qwen3-32b-v1:0", Family::Other),
            ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", Family::Other),
            ("anthropic/claude-sonnet-4-5", Family::ClaudeBudget),
        ] {
            assert_eq!(Model::of(id).family, family, "{id}");
        }
    }

    #[test]
    fn only_some_take_cache_points() {
        assert!(Model::of("anthropic.claude-3-5-sonnet-20241022-v2:0").caches);
        assert!(Model::of("amazon.nova-lite-v1:0").caches);
        assert!(!Model::of("anthropic.claude-3-haiku-20240307-v1:0").caches);
        assert!(!Model::of("openai.gpt-oss-20b-1:0").caches);
    }
}
