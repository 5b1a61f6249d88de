//! Files that the request for a model names by their ids: such that its key has brought, unless it may name
//! any. They lie at one account, so only deployments there can serve the request.

use super::remembered::not_found;
use super::whereabouts;
use crate::error::{Class, Error, Result};
use crate::json::{self, Token};
use crate::plan::{Deployment, Key, Plan};
use crate::responses::shown;
use crate::store::Store;
use crate::store::shelf::{Kind, Slot};
use std::sync::Arc;

/// The member that names a file: in contents, sources, masks and prompts' variables.
const ONE: &str = "file_id";
/// The member that names several: in the containers of tools.
const SEVERAL: &str = "file_ids";
/// Different files that a request may name: each is looked up.
const MOST: usize = 256;
/// Members under which nothing is fetched: what a model or a tool wrote, what the client notes for itself,
/// definitions, and what a reply told of files before it became history.
const SILENT: [&str; 10] = [
    "annotations",
    "args",
    "arguments",
    "input",
    "input_schema",
    "metadata",
    "parameters",
    "response",
    "results",
    "schema",
];
/// Blocks that tell of files which a model's code has made: history too.
const TOLD: [&str; 2] = ["code_execution_output", "bash_code_execution_output"];

/// An object or an array on the way to where the walk is.
#[derive(Default)]
struct Level {
    is_list: bool,
    is_told: bool,
    own: Option<String>,
}

/// The ids in a body, each once. A body that is not valid has none: admission says why.
#[must_use]
pub fn ids(body: &[u8]) -> Vec<String> {
    // The name may also be written with escapes.
    let finds = |part: &[u8]| memchr::memmem::find(body, part).is_some();
    if !finds(ONE.as_bytes()) && !finds(b"\\u00") {
        return Vec::new();
    }
    let Ok(object) = json::parse_object(body) else { return Vec::new() };
    let mut found = Vec::new();
    for field in &object.fields {
        if json::name_among(&body[field.key.clone()], &["metadata"]).is_none() {
            collect(&body[field.value.clone()], &mut found);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The ids in one value of a request.
fn collect(value: &[u8], found: &mut Vec<String>) {
    let mut key: &[u8] = b"";
    let mut levels: Vec<Level> = Vec::new();
    let mut silent: Option<usize> = None;
    json::walk(value, |token| match token {
        Token::Key(name) => key = name,
        Token::Open(_) => {
            if silent.is_none() && json::name_among(key, &SILENT).is_some() {
                silent = Some(levels.len());
            }
            let is_list = json::name_among(key, &[SEVERAL]).is_some();
            levels.push(Level { is_list, ..Level::default() });
            key = b"";
        }
        Token::Close => {
            let level = levels.pop().unwrap_or_default();
            found.extend(level.own.filter(|_| !level.is_told));
            if silent == Some(levels.len()) {
                silent = None;
            }
            key = b"";
        }
        Token::Text(raw) if silent.is_none() => {
            let Some(level) = levels.last_mut() else { return };
            if level.is_list {
                found.push(text(raw));
            } else if json::name_among(key, &[ONE]).is_some() {
                level.own = Some(text(raw));
            } else if json::name_among(key, &["type"]).is_some() {
                level.is_told = TOLD.contains(&&*text(raw));
            }
        }
        Token::Text(_) | Token::Plain(_) => {}
    });
}

fn text(raw: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(raw.len());
    json::unescape(raw, &mut decoded);
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Looks up the files that a request names: through which deployment they can be seen.
///
/// # Errors
/// `NotFound` if one is not the key's or cannot be reached any more; `InvalidRequest` if they are too many, or
/// do not lie together.
pub async fn resolve(store: &Store, plan: &Arc<Plan>, key: &Key, ids: &[String]) -> Result<usize> {
    if ids.len() > MOST {
        return Err(invalid(format!("The request names more than {MOST} files.")));
    }
    let mut found: Option<usize> = None;
    for id in ids {
        let slot = Slot { owner: &key.alias, kind: Kind::File, id };
        let record = store.shelf.get(plan, slot).await;
        let index = record.and_then(|one| whereabouts::find(plan, &one.account, &one.deployment));
        let index = index.ok_or_else(|| not_found(Kind::File, id).with_param(ONE))?;
        if found.is_some_and(|first| !lie_together(plan, first, &plan.deployments[index])) {
            let id = shown(id);
            let message = format!("The file {id} lies at another provider than those before it.");
            return Err(invalid(message));
        }
        found.get_or_insert(index);
    }
    found.ok_or_else(|| invalid("The request names no file.".to_owned()))
}

/// Whether a deployment sees the files of another one.
#[must_use]
pub fn lie_together(plan: &Plan, index: usize, deployment: &Deployment) -> bool {
    deployment.files.is_some() && deployment.files == plan.deployments[index].files
}

/// None of a group's deployments sees the files that the request names.
#[must_use]
pub fn elsewhere(group: &str) -> Error {
    let message = format!(
        "The files that the request names lie at a provider that does not serve the model `{group}`."
    );
    Error::new(Class::NotSupported, message).with_param(ONE)
}

fn invalid(message: String) -> Error {
    Error::new(Class::InvalidRequest, message).with_param(ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(body: &str) -> Vec<String> {
        ids(body.as_bytes())
    }

    #[test]
    fn files_are_found_wherever_a_provider_would_fetch_them() {
        for body in [
            r#"{"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"a"}}]}]}"#,
            r#"{"input":[{"role":"user","content":[{"type":"input_file","file_id":"a"}]}]}"#,
            r#"{"input":[{"role":"user","content":[{"file_id":"a","type":"input_image"}]}]}"#,
            r#"{"input":[{"type":"computer_call_output","output":{"file_id":"a"}}]}"#,
            r#"{"prompt":{"id":"p","variables":{"x":{"type":"input_file","file_id":"a"}}}}"#,
            r#"{"tools":[{"type":"code_interpreter","container":{"type":"auto","file_ids":["a"]}}]}"#,
            r#"{"tools":[{"type":"image_generation","input_image_mask":{"file_id":"a"}}]}"#,
            r#"{"messages":[{"content":[{"type":"document","source":{"type":"file","file_id":"a"}}]}]}"#,
            r#"{"messages":[{"content":[{"type":"container_upload","file_id":"a"}]}]}"#,
            r#"{"images":[{"file_id":"a"}],"prompt":"x"}"#,
            r#"{"input":[{"content":[{"type":"input_file","file_\u0069d":"\u0061"}]}]}"#,
            r#"{"input":[{"content":[{"file_id":"a"},{"file_id":"a"}]}]}"#,
            r#"{"input":[{"content":[{"annotations":[{"file_id":"b"}]},{"file_id":"a"}]}]}"#,
        ] {
            assert_eq!(named(body), ["a"], "{body}");
        }
    }

    #[test]
    fn several_are_told_apart() {
        let body = r#"{"x":{"file_ids":["b","a",["c"]],"file_id":"d","type":"auto"}}"#;
        assert_eq!(named(body), ["a", "b", "d"]);
    }

    #[test]
    fn what_is_only_told_names_no_file() {
        for body in [
            r#"{"messages":[{"role":"user","content":"file_id"}]}"#,
            r#"{"metadata":{"file_id":"a"}}"#,
            r#"{"input":[{"type":"message","content":[{"annotations":[{"type":"file_citation","file_id":"a"}]}]}]}"#,
            r#"{"input":[{"type":"file_search_call","results":[{"file_id":"a","text":"x"}]}]}"#,
            r#"{"messages":[{"content":[{"type":"tool_use","name":"read","input":{"file_id":"a"}}]}]}"#,
            r#"{"contents":[{"parts":[{"functionCall":{"name":"read","args":{"file_id":"a"}}}]}]}"#,
            r#"{"tools":[{"function":{"parameters":{"examples":[{"file_id":"a"}]}}}]}"#,
            r#"{"tools":[{"function":{"parameters":{"properties":{"file_id":{"type":"string"}}}}}]}"#,
            r#"{"messages":[{"content":[{"type":"code_execution_output","file_id":"a"}]}]}"#,
            r#"{"messages":[{"content":[{"file_id":"a","type":"bash_code_execution_output"}]}]}"#,
            r#"{"input":[{"file_id":"a"}"#,
        ] {
            assert!(named(body).is_empty(), "{body}");
        }
    }
}
