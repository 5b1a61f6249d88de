//! Which tokens a model counts in.

use super::estimate::Estimate;

/// The tokens a model counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// OpenAI's o200k_base: GPT-4o and everything after it. Exact.
    O200k,
    /// OpenAI's cl100k_base: GPT-4, GPT-3.5, the text-embedding models. Exact.
    Cl100k,
    /// Any other vocabulary, estimated.
    Estimate(Estimate),
}

impl Family {
    /// Every family, exact ones first.
    pub const ALL: [Family; 9] = [
        Family::O200k,
        Family::Cl100k,
        Family::Estimate(Estimate::Claude),
        Family::Estimate(Estimate::Gemini),
        Family::Estimate(Estimate::Llama),
        Family::Estimate(Estimate::Mistral),
        Family::Estimate(Estimate::Deepseek),
        Family::Estimate(Estimate::Qwen),
        Family::Estimate(Estimate::Other),
    ];

    /// The family of this name; tiktoken's names for the exact two are understood too.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Family> {
        let name = name.strip_suffix("_base").unwrap_or(name);
        Family::ALL.into_iter().find(|family| family.name() == name)
    }

    /// The family of a model by its name, with or without a provider before it and a version behind;
    /// [`Estimate::Other`] if nothing is known of it.
    #[must_use]
    pub fn for_model(model: &str) -> Family {
        let model = model.to_ascii_lowercase();
        let name = model.rsplit('/').next().unwrap_or(&model);
        let name = name.strip_prefix("ft:").unwrap_or(name);
        OPENAI
            .iter()
            .find(|(prefix, _)| name.starts_with(prefix))
            .or_else(|| ELSEWHERE.iter().find(|(word, _)| model.contains(word)))
            .map_or(Family::Estimate(Estimate::Other), |&(_, family)| family)
    }

    /// The name in settings, metrics and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Family::O200k => "o200k",
            Family::Cl100k => "cl100k",
            Family::Estimate(estimate) => estimate.name(),
        }
    }

    /// Whether a count in this family is what the model's maker would count, and no estimate.
    #[must_use]
    pub fn is_exact(self) -> bool {
        !matches!(self, Family::Estimate(_))
    }
}

/// Beginnings of OpenAI's model names; the first that fits decides.
const OPENAI: [(&str, Family); 19] = [
    ("gpt-4o", Family::O200k),
    ("gpt-4.", Family::O200k),
    ("gpt-4", Family::Cl100k),
    ("gpt-3", Family::Cl100k),
    ("gpt-2", Family::Estimate(Estimate::Other)),
    ("gpt-", Family::O200k),
    ("chatgpt-", Family::O200k),
    ("codex-", Family::O200k),
    ("computer-use-", Family::O200k),
    ("o1", Family::O200k),
    ("o3", Family::O200k),
    ("o4-", Family::O200k),
    ("text-embedding-3-", Family::Cl100k),
    ("text-embedding-ada-002", Family::Cl100k),
    ("davinci-002", Family::Cl100k),
    ("babbage-002", Family::Cl100k),
    ("o200k", Family::O200k),
    ("cl100k", Family::Cl100k),
    ("openai.gpt-oss", Family::O200k),
];

/// Words that give away other makers' models, anywhere in the name; the first that fits decides, so a
/// distillate (`deepseek-r1-distill-llama`) goes by the model it was distilled into.
const ELSEWHERE: [(&str, Family); 14] = [
    ("claude", Family::Estimate(Estimate::Claude)),
    ("gemini", Family::Estimate(Estimate::Gemini)),
    ("gemma", Family::Estimate(Estimate::Gemini)),
    ("qwen", Family::Estimate(Estimate::Qwen)),
    ("qwq", Family::Estimate(Estimate::Qwen)),
    ("llama", Family::Estimate(Estimate::Llama)),
    ("mistral", Family::Estimate(Estimate::Mistral)),
    ("mixtral", Family::Estimate(Estimate::Mistral)),
    ("codestral", Family::Estimate(Estimate::Mistral)),
    ("devstral", Family::Estimate(Estimate::Mistral)),
    ("magistral", Family::Estimate(Estimate::Mistral)),
    ("ministral", Family::Estimate(Estimate::Mistral)),
    ("pixtral", Family::Estimate(Estimate::Mistral)),
    ("deepseek", Family::Estimate(Estimate::Deepseek)),
];
