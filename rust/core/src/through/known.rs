//! What is known of vendors' paths: which are chats and the like, and where in them a model stands.

use crate::access;
use crate::plan::Plan;
use crate::snapshot::Operation;

/// Segments behind which a model is named, by itself.
const BEFORE_ONE: [&str; 4] = ["model", "deployments", "engines", "endpoints"];
/// Segments behind which all the rest is a model's name, but for a method behind a colon.
const BEFORE_REST: [&str; 2] = ["models", "tunedmodels"];
/// What stands behind such a segment and is no model: Azure's and Google Cloud's OpenAI surfaces.
const NO_MODELS: [&str; 5] =
    ["openapi", "chat/completions", "embeddings", "images/embeddings", "info"];
/// Google's surface for OpenAI's clients.
const OPENAI_SURFACES: [&str; 2] = ["/openai/", "/endpoints/openapi/"];

/// Whether it is a place where another vendor speaks OpenAI's dialect.
#[must_use]
pub fn is_openai_surface(path: &str) -> bool {
    OPENAI_SURFACES.iter().any(|surface| path.contains(surface))
}

/// The operation that a path is known to be, so that its body can be read: by its whole shape.
#[must_use]
pub fn operation(plan: &Plan, path: &str) -> Option<Operation> {
    if let Some(route) = access::of_path(plan, path) {
        return Some(route.operation).filter(|operation| !operation.takes_forms(None));
    }
    if path == "/v2/chat" {
        return Some(Operation::CohereChat);
    }
    let openai =
        [("/v1beta/openai", Operation::ChatCompletions), ("/api/v1", Operation::ChatCompletions)];
    if let Some((base, operation)) = openai.into_iter().find(|(base, _)| path.starts_with(base)) {
        return (&path[base.len()..] == "/chat/completions").then_some(operation);
    }
    let (_, method) = path.strip_prefix("/model/")?.split_once('/')?;
    matches!(method, "converse" | "converse-stream").then_some(Operation::Converse)
}

/// The models that a path names, whose segments were decoded one by one.
#[must_use]
pub fn models_in(segments: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let behind = &segments[index + 1..];
        if behind.iter().all(String::is_empty) {
            break;
        }
        if is_among(segment, &BEFORE_ONE) {
            let name = behind[0].clone();
            // Google Cloud's endpoints have their method behind a colon; names elsewhere may hold one.
            let is_endpoint = segment.eq_ignore_ascii_case("endpoints");
            found.push(if is_endpoint { without_method(&name) } else { name });
        } else if is_among(segment, &BEFORE_REST) {
            found.push(without_method(&behind.join("/")));
        }
    }
    found.retain(|name| !NO_MODELS.contains(&&**name));
    found
}

/// Whether a segment is one behind which a model stands.
#[must_use]
pub fn precedes_model(segment: &str) -> bool {
    is_among(segment, &BEFORE_ONE) || is_among(segment, &BEFORE_REST)
}

fn is_among(segment: &str, words: &[&str]) -> bool {
    words.iter().any(|word| segment.eq_ignore_ascii_case(word))
}

fn without_method(name: &str) -> String {
    match name.rsplit_once(':') {
        Some((model, method)) if !method.contains('/') => model.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn vendors_name_models_in_their_paths_in_several_ways() {
        for (path, models) in [
            ("v1beta/models/gemini-2.5-pro:generateContent", &["gemini-2.5-pro"][..]),
            ("v1/models", &[]),
            ("v1/models/", &[]),
            ("v1/models/org/name", &["org/name"]),
            ("openai/deployments/gpt/chat/completions", &["gpt"]),
            ("OpenAI/Deployments/gpt/chat/completions", &["gpt"]),
            ("model/anthropic.claude-v1:0/converse", &["anthropic.claude-v1:0"]),
            ("v1/projects/p/locations/l/publishers/google/models/g:predict", &["g"]),
            ("v1/projects/p/locations/l/endpoints/7:predict", &["7"]),
            ("v1/projects/p/locations/l/endpoints/openapi/chat/completions", &[]),
            ("models/chat/completions", &[]),
            ("v1/messages", &[]),
        ] {
            let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
            assert_eq!(models_in(&segments), models, "{path}");
        }
    }

    #[test]
    fn only_whole_shapes_are_known() {
        let plan = testing::plan(|_| ());
        for (path, known) in [
            ("/v1/chat/completions", Some(Operation::ChatCompletions)),
            ("/openai/deployments/d/chat/completions", Some(Operation::ChatCompletions)),
            ("/v1beta/models/g:generateContent", Some(Operation::GenerateContent)),
            ("/v1beta/openai/chat/completions", Some(Operation::ChatCompletions)),
            ("/model/m/converse-stream", Some(Operation::Converse)),
            ("/v2/chat", Some(Operation::CohereChat)),
            ("/v1/threads/t/chat/completions", None),
            ("/model/m/invoke", None),
            ("/v1/audio/transcriptions", None),
        ] {
            assert_eq!(operation(&plan, path), known, "{path}");
        }
    }
}
