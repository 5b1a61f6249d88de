//! Files that the request for a model names by their ids: such that its key has brought, unless it may name
//! any. They lie at one account, so only deployments there can serve the request.

use super::remembered::not_found;
use super::whereabouts;
use crate::error::{Class, Error, Result};
use crate::json;
use crate::plan::{Deployment, Key, Plan};
use crate::responses::shown;
use crate::snapshot::Operation;
use crate::store::Store;
use crate::store::shelf::{Kind, Slot};
use memchr::memmem::Finder;
use serde_json::{Map, Value};
use std::sync::{Arc, LazyLock};

/// The members that name a file: in contents, sources, masks and variables of prompts.
const ONE: [&str; 3] = [ID, "fileUri", "file_uri"];
/// How they are told in errors.
const ID: &str = "file_id";
/// The member that names several: in the containers of tools.
const SEVERAL: &str = "file_ids";
/// Different files that a request may name: each is looked up.
const MOST: usize = 64;

/// Members of a request that no provider fetches from: notes, definitions, data of the client's own.
const APART: [&str; 9] = [
    "documents",
    "functions",
    "generationConfig",
    "generation_config",
    "guided_json",
    "labels",
    "metadata",
    "response_format",
    "text",
];
/// Members of a tool that define it.
const DEFINITIONS: [&str; 6] = [
    "input_examples",
    "input_schema",
    "parameters",
    "parametersJsonSchema",
    "parameters_json_schema",
    "schema",
];

/// Whether requests of this kind name files: those that models read contents of.
fn may_name(operation: Operation) -> bool {
    operation.is_chat() || operation.counts() || operation == Operation::ImagesEdits
}

/// The ids in a request's body, each once. A body that is not valid has none: admission says why.
#[must_use]
pub fn ids(operation: Operation, body: &[u8]) -> Vec<String> {
    if !may_name(operation) {
        return Vec::new();
    }
    ids_in(body)
}

/// The same of a body whose kind makes no difference.
#[must_use]
pub fn ids_in(body: &[u8]) -> Vec<String> {
    if !may_hold_names(body) {
        return Vec::new();
    }
    // What the strict reader refuses is refused.
    let Ok(Ok(request)) = json::parse_object(body).map(|_| serde_json::from_slice(body)) else {
        return Vec::new();
    };
    let request: Map<String, Value> = request;
    let mut found = Vec::new();
    for (name, value) in request.iter().filter(|(name, _)| !APART.contains(&&***name)) {
        let place = Place { within_tools: name == "tools", ..Place::default() };
        name_of(name, value, &mut found);
        collect(value, place, &mut found);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether a body may hold a name of [`ONE`] or [`SEVERAL`]. Every body is searched, so that what they have in
/// common is looked for first. They may also be written with escapes.
fn may_hold_names(body: &[u8]) -> bool {
    static COMMON: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("file"));
    let finds = |part: &str| memchr::memmem::find(body, part.as_bytes()).is_some();
    let is_plain = COMMON.find(body).is_some() && ONE.iter().any(|name| finds(name));
    is_plain || (memchr::memchr(b'\\', body).is_some() && finds("\\u00"))
}

/// Where in a request a value stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// In a list of tools.
    within_tools: bool,
    /// Below the variables of a prompt: their names are the client's, and mean nothing.
    within_variables: bool,
    /// In the list of what a model's code has made.
    is_told: bool,
}

/// Collects the ids below a value.
fn collect(value: &Value, place: Place, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, place, found)),
        Value::Object(object) => {
            let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
            for (name, member) in object {
                if is_silent(kind, name, member, place) {
                    continue;
                }
                if !(place.is_told && kind.ends_with("code_execution_output")) {
                    name_of(name, member, found);
                }
                let below = Place {
                    within_tools: place.within_tools || name == "tools",
                    within_variables: place.within_variables || name == "variables",
                    is_told: name == "content" && kind.ends_with("code_execution_result"),
                };
                collect(member, below, found);
            }
        }
        _ => {}
    }
}

/// Notes the ids that a member says itself.
fn name_of(name: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        // A URI leads to Google's own, or to what anybody may see.
        Value::String(id) if ONE.contains(&name) && (name == ID || !id.contains("://")) => {
            found.push(id.clone());
        }
        Value::Array(items) if name == SEVERAL => {
            found.extend(items.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        _ => {}
    }
}

/// Whether nothing is fetched from below a member: what a model or a tool wrote, definitions, and what a reply
/// told of files before it became history.
fn is_silent(kind: &str, name: &str, member: &Value, place: Place) -> bool {
    if place.within_variables {
        return false;
    }
    match name {
        "annotations" | "citations" => member.is_array(),
        "input" => kind.ends_with("tool_use"),
        "results" => kind == "file_search_call",
        // Of calls and results in Gemini's dialect.
        "args" | "response" => kind.is_empty(),
        _ => place.within_tools && DEFINITIONS.contains(&name),
    }
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
        let slot = Slot { owner: key.owner(), kind: Kind::File, id };
        let record = store.shelf.get(plan, slot).await;
        let index = record.and_then(|one| whereabouts::find(plan, &one.account, &one.deployment));
        let index = index.ok_or_else(|| not_found(Kind::File, id).with_param(ID))?;
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
    Error::new(Class::NotSupported, message).with_param(ID)
}

fn invalid(message: String) -> Error {
    Error::new(Class::InvalidRequest, message).with_param(ID)
}

#[cfg(test)]
mod tests;
