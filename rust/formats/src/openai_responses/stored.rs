//! What storing responses needs: the items of a request as the API lists them, and a conversation that
//! goes on from a stored response. Pure functions over JSON; the store itself is elsewhere.

use crate::format::Fault;
use crate::value::{Kind as Json, Value};
use crate::writer::Writer;
use std::collections::HashMap;

/// The member in which [`join`] leaves the id of the response that a request goes on from, for its reply
/// to repeat.
pub const JOINED: &str = "llmgw_previous_response_id";

/// Which items of a list are wanted, as the API's query says.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// Those after the item of this id.
    pub after: Option<&'a str>,
    /// Oldest first (`order=asc`); the API's own default is newest first.
    pub ascending: bool,
    /// How many at most.
    pub limit: usize,
}

impl Default for Page<'_> {
    fn default() -> Self {
        Page { after: None, ascending: false, limit: 20 }
    }
}

/// The input of a stored request as the API lists it: `{"object":"list","data":[…],"first_id","last_id",
/// "has_more"}`. Items without an id get one that is made from `response_id` and their place.
///
/// # Errors
/// [`Fault`] if the request is no JSON object, or `page.after` is not in the list.
pub fn input_items(request: &str, response_id: &str, page: Page<'_>) -> Result<Vec<u8>, Fault> {
    let request = object(request)?;
    let mut listed = Vec::new();
    match request.get("input").map(Value::kind) {
        Some(Json::String(text)) => listed.push(said(response_id, 0, text)),
        Some(Json::Array(items)) => {
            listed.extend(items.iter().enumerate().map(|(at, one)| item(one, response_id, at)));
        }
        _ => {}
    }
    if !page.ascending {
        listed.reverse();
    }
    let from = match page.after {
        None => 0,
        Some(after) => {
            let found = listed.iter().position(|one| one.id == after);
            found.ok_or_else(|| Fault::of("after", "The list has no item of this id."))? + 1
        }
    };
    let to = from.saturating_add(page.limit).min(listed.len());
    let shown = &listed[from..to];
    let mut w = Writer::new();
    w.object(|w| {
        w.text("object", "list");
        w.key("data").array(|w| shown.iter().for_each(|one| w.raw(&one.json)));
        w.text_or_null("first_id", shown.first().map(|one| &*one.id));
        w.text_or_null("last_id", shown.last().map(|one| &*one.id));
        w.flag("has_more", to < listed.len());
    });
    Ok(w.finish())
}

fn object(text: &str) -> Result<Value<'_>, Fault> {
    let value = Value::parse(text)?;
    if value.is_object() { Ok(value) } else { Err(Fault::new("The body must be a JSON object.")) }
}

/// An item as it is listed.
struct Listed {
    id: String,
    json: String,
}

fn listed(id: String, fill: impl FnOnce(&mut Writer)) -> Listed {
    let mut w = Writer::new();
    w.object(|w| {
        w.text("id", &id);
        fill(w);
    });
    Listed { json: String::from_utf8(w.finish()).unwrap_or_default(), id }
}

/// The id of an item that has none.
fn made_id(prefix: &str, response_id: &str, at: usize) -> String {
    let stem = response_id.strip_prefix("resp_").unwrap_or(response_id);
    format!("{prefix}_{stem}_in{at}")
}

/// What the ids of items of a type begin with.
fn prefix_of(kind: &str) -> &'static str {
    match kind {
        "message" => "msg",
        "reasoning" => "rs",
        "function_call" => "fc",
        "function_call_output" => "fco",
        "custom_tool_call" => "ctc",
        "custom_tool_call_output" => "ctco",
        _ => "item",
    }
}

/// An input that is a string: what the user said.
fn said(response_id: &str, at: usize, text: &str) -> Listed {
    listed(made_id("msg", response_id, at), |w| message(w, "user", text))
}

/// The members of a message whose content is a string.
fn message(w: &mut Writer, role: &str, text: &str) {
    let kind = if role == "assistant" { "output_text" } else { "input_text" };
    w.text("type", "message").text("status", "completed");
    w.key("content").array(|w| {
        w.object(|w| {
            w.text("type", kind).text("text", text);
            if role == "assistant" {
                w.member("annotations", "[]");
            }
        });
    });
    w.text("role", role);
}

fn item(item: &Value<'_>, response_id: &str, at: usize) -> Listed {
    let word = |name: &str| item.get(name).and_then(Value::as_str);
    let kind = word("type").unwrap_or("message");
    let id = word("id").map_or_else(|| made_id(prefix_of(kind), response_id, at), str::to_owned);
    let text = item.get("content").and_then(Value::as_str);
    if let ("message", Some(role), Some(text)) = (kind, word("role"), text) {
        return listed(id, |w| message(w, role, text));
    }
    listed(id, |w| {
        w.text("type", kind);
        if kind == "message" && word("status").is_none() {
            w.text("status", "completed");
        }
        for (name, value) in item.members() {
            if !matches!(&**name, "id" | "type") {
                w.member(name, value.raw());
            }
        }
    })
}

/// The response that a request goes on from, if it says one.
///
/// # Errors
/// [`Fault`] if the request is no JSON object.
pub fn previous(request: &str) -> Result<Option<String>, Fault> {
    let request = object(request)?;
    Ok(request.get("previous_response_id").and_then(Value::as_str).map(str::to_owned))
}

/// The body of a request that goes on from a stored response: its input is what the stored request had as
/// input, what the stored response had as output, then its own. References to items of those are replaced
/// by the items. Everything else is the request's own; the stored `instructions` do not go on.
///
/// A stored request that was joined itself holds its whole conversation, so that one step is enough.
///
/// # Errors
/// [`Fault`] if one of the three is no JSON object, or a reference is to an item that is not there.
pub fn join(stored_request: &str, stored_response: &str, request: &str) -> Result<Vec<u8>, Fault> {
    let before = object(stored_request)?;
    let response = object(stored_response)?;
    let request = object(request)?;
    let output = response.get("output").map(Value::items).unwrap_or_default();
    let mut known: HashMap<&str, &Value<'_>> = HashMap::new();
    for one in before.get("input").map(Value::items).unwrap_or_default().iter().chain(output) {
        if let Some(id) = one.get("id").and_then(Value::as_str) {
            known.insert(id, one);
        }
    }
    let mut fault = None;
    let mut w = Writer::new();
    w.object(|w| {
        for (name, value) in request.members() {
            match &**name {
                "input" => {}
                "previous_response_id" => {
                    w.member(JOINED, value.raw());
                }
                name => {
                    w.member(name, value.raw());
                }
            }
        }
        w.key("input").array(|w| {
            input(w, before.get("input"), None, &mut fault);
            output.iter().for_each(|one| w.raw(one.raw()));
            input(w, request.get("input"), Some(&known), &mut fault);
        });
    });
    fault.map_or_else(|| Ok(w.finish()), Err)
}

/// Writes an input into the open array. With `known`, references are replaced by what they refer to.
fn input(
    w: &mut Writer,
    input: Option<&Value<'_>>,
    known: Option<&HashMap<&str, &Value<'_>>>,
    fault: &mut Option<Fault>,
) {
    let Some(input) = input else { return };
    if let Some(text) = input.as_str() {
        w.object(|w| {
            w.text("type", "message").text("role", "user").text("content", text);
        });
    }
    for (at, one) in input.items().iter().enumerate() {
        match (known, referred(one)) {
            (Some(known), Some(id)) => match known.get(id) {
                Some(found) => w.raw(found.raw()),
                None => {
                    let words = "There is no such item in the stored conversation.";
                    fault.get_or_insert(Fault::of(format!("input[{at}].id"), words));
                }
            },
            _ => w.raw(one.raw()),
        }
    }
}

/// The id that an item refers to, if it is a reference.
fn referred<'v>(item: &'v Value<'_>) -> Option<&'v str> {
    let kind = item.get("type").and_then(Value::as_str);
    let is_reference = match kind {
        Some(kind) => kind == "item_reference",
        None => item.get("role").is_none(),
    };
    item.get("id").and_then(Value::as_str).filter(|_| is_reference)
}
