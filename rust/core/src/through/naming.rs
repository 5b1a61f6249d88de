//! The models that a JSON body names, wherever vendors name them.

use crate::json::{self, Token};

/// Keys whose texts name models, one or a list of them: those with this in them, in any case,
const IN_KEYS: &[u8] = b"model";
/// and these.
const KEYS: [&str; 2] = ["engine", "deployment"];
/// Keys of what a model, a tool or a client has written: what stands below them names nothing.
const FREE: [&str; 14] = [
    "arguments",
    "args",
    "input",
    "response",
    "action",
    "metadata",
    "labels",
    "schema",
    "json_schema",
    "parameters",
    "properties",
    "input_schema",
    "inputSchema",
    "responseSchema",
];
/// What Google puts before a model's name.
const GOOGLE: &str = "models/";

/// The models that a validated body names, as the host calls them.
#[must_use]
pub fn models_in(body: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    // What each open bracket stands behind, outermost first.
    let mut open: Vec<Behind> = Vec::new();
    let mut behind = Behind::Other;
    json::walk(body, |token| match token {
        Token::Key(raw) => behind = Behind::of(raw),
        Token::Text(raw) => {
            if behind == Behind::Naming && !open.contains(&Behind::Free) {
                found.push(name_of(raw));
            }
        }
        Token::Open(bracket) => {
            open.push(behind);
            // In a list, every member stands behind the list's key.
            if bracket == b'{' {
                behind = Behind::Other;
            }
        }
        Token::Close => {
            // What follows in a list stands behind what its other members do.
            behind = open.pop().unwrap_or(Behind::Other);
        }
        Token::Plain(_) => {}
    });
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Naming,
    Free,
    Other,
}

impl Behind {
    fn of(key: &[u8]) -> Self {
        let mut name = Vec::with_capacity(key.len());
        json::unescape(key, &mut name);
        let has_model = name.windows(IN_KEYS.len()).any(|part| part.eq_ignore_ascii_case(IN_KEYS));
        if has_model || KEYS.iter().any(|one| one.as_bytes() == name) {
            Behind::Naming
        } else if FREE.iter().any(|one| one.as_bytes() == name) {
            Behind::Free
        } else {
            Behind::Other
        }
    }
}

fn name_of(raw: &[u8]) -> String {
    let mut name = Vec::with_capacity(raw.len());
    json::unescape(raw, &mut name);
    let name = String::from_utf8_lossy(&name);
    match name.rfind(GOOGLE).map(|at| (at, at + GOOGLE.len())) {
        Some((at, end)) if at == 0 || name[..at].ends_with('/') => name[end..].to_owned(),
        _ => name.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_named_in_many_places() {
        for (body, models) in [
            (r#"{"model":"a"}"#, &["a"][..]),
            (r#"{"mod\u0065l":"a\u0062"}"#, &["ab"]),
            (
                r#"{"requests":[{"custom_id":"1","params":{"model":"a"}},{"params":{"model":"b"}}]}"#,
                &["a", "b"],
            ),
            (r#"{"requests":[{"model":"models/g"}]}"#, &["g"]),
            (r#"{"model":"publishers/google/models/g"}"#, &["g"]),
            (r#"{"models":["a","b"],"route":"fallback"}"#, &["a", "b"]),
            (r#"{"models":[{"x":1},["a"],"b"],"text":"c"}"#, &["a", "b"]),
            (r#"{"tools":[{"type":"image_generation","model":"i"}],"model":"a"}"#, &["i", "a"]),
            (r#"{"modelId":"m","modelInput":{"text":"a"}}"#, &["m"]),
            (r#"{"baseModelIdentifier":"m","Model":"n","deployment":"d"}"#, &["m", "n", "d"]),
            (r#"{"model":{"a":"b"},"x":["model"]}"#, &[]),
            (r#"{}"#, &[]),
        ] {
            assert_eq!(models_in(body.as_bytes()), models, "{body}");
        }
    }

    #[test]
    fn what_a_tool_is_told_names_no_model() {
        let body = r#"{"model":"a","messages":[{"role":"assistant","content":[
            {"type":"tool_use","input":{"model":"T"}}]}],
            "tools":[{"input_schema":{"properties":{"model":{"enum":["x"],"model":"y"}}}}]}"#;
        assert_eq!(models_in(body.as_bytes()), ["a"]);
    }
}
