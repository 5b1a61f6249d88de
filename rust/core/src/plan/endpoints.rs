//! Which endpoints a list allows: by an endpoint's name in metrics, or by its family.

use super::pattern::Patterns;

/// What a provider's own API is called in lists of endpoints.
pub const PASS_THROUGH: &str = "pass_through";

/// Whether a list allows an endpoint.
///
/// An entry is a name (`messages`), a pattern of names (`images_*`), or one of names with their family
/// before a dot (`chat.*`, `audio.*`). What is made at an endpoint can be asked for again by whoever may
/// make it: `files` is also `files_list`, `responses` also `responses_retrieve`.
#[must_use]
pub fn allow(list: &Patterns, name: &str) -> bool {
    list.allow(name)
        || list.allow(&[family(name), ".", name].concat())
        || made_at(name).is_some_and(|maker| list.allow(maker))
}

/// The family of an endpoint; its own name, if it has no relatives.
#[must_use]
pub fn family(name: &str) -> &str {
    match name {
        "chat_completions"
        | "completions"
        | "messages"
        | "count_message_tokens"
        | "generate_content"
        | "count_content_tokens"
        | "converse"
        | "cohere_chat" => "chat",
        "embeddings"
        | "embed_content"
        | "batch_embed_contents"
        | "predict"
        | "vertex_embed_content"
        | "vertex_batch_embed_contents" => "embeddings",
        _ if name.starts_with("responses") => "chat",
        _ if name.starts_with("images_") => "images",
        _ if name.starts_with("audio_") => "audio",
        _ => made_at(name).unwrap_or(name),
    }
}

/// The endpoint that makes what this one looks up.
fn made_at(name: &str) -> Option<&'static str> {
    let makers = ["responses", "files", "batches"];
    makers.into_iter().find(|maker| {
        name.strip_prefix(maker).is_some_and(|verb| verb.starts_with('_') || verb.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entry: &str) -> impl Fn(&str) -> bool {
        let list = Patterns::new(&[entry.to_owned()]);
        move |name| allow(&list, name)
    }

    #[test]
    fn a_name_allows_one_endpoint_and_a_family_all_of_its_dialects() {
        let (one, all) = (allowed("messages"), allowed("chat.*"));
        assert!(one("messages") && !one("chat_completions"));
        for name in ["messages", "chat_completions", "responses", "converse", "responses_cancel"] {
            assert!(all(name), "{name}");
        }
        for name in ["embeddings", "files", "realtime", PASS_THROUGH] {
            assert!(!all(name), "{name}");
        }
    }

    #[test]
    fn who_may_make_something_may_ask_for_it_again() {
        for (entry, name) in
            [("files", "files_content"), ("batches", "batches"), ("responses", "responses_delete")]
        {
            assert!(allowed(entry)(name), "{entry}");
        }
        assert!(!allowed("files_list")("files"));
    }

    #[test]
    fn a_star_allows_everything() {
        assert!(allowed("*")(PASS_THROUGH) && allowed("images_*")("images_edits"));
    }
}
