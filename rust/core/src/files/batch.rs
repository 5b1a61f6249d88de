//! Batches: each runs where its file of requests lies, and its files of results belong to who made it.

use super::remembered::{Remembered, path_of};
use super::requests::{operation_of, text};
use super::serve::answer_of;
use crate::dispatch::Extra;
use crate::error::{Class, Error, Result};
use crate::json::{self, Object};
use crate::plan::{Deployment, encode_segment};
use crate::relay::{Asking, Question, Said};
use crate::responses::{is_id, shown};
use crate::snapshot::{Operation, PiiMode};
use crate::store::shelf::{Kind, Requests};
use crate::store::unix_seconds;
use crate::visit::{Answer, Visit};
use bytes::Bytes;
use std::time::Instant;

/// The field with the file of requests.
const INPUT: &str = "input_file_id";
/// The fields with files of results.
const RESULTS: [&str; 2] = ["output_file_id", "error_file_id"];
/// The field that is for the gateway alone.
const OURS: &str = "model";
/// The fields that there may be. Hosts have more: to take requests from elsewhere, which nobody has checked.
const FIELDS: [&str; 6] =
    [INPUT, "endpoint", "completion_window", "metadata", "output_expires_after", OURS];

/// Makes a batch.
///
/// # Errors
/// Any class that says what is wrong with it, or that the upstream failed.
pub(super) async fn create(
    own: &Remembered,
    visit: &mut Visit,
    body: &Bytes,
    extra: &Extra<'_>,
) -> Result<Answer> {
    let object = json::parse_object(body)?;
    check_fields(body, &object)?;
    let id = text(body, &object, INPUT).map_err(|error| error.with_param(INPUT))?;
    let record = own.find(Kind::File, &id).await.map_err(|error| error.with_param(INPUT))?;
    let requests = record.requests.as_ref().ok_or_else(|| unchecked(&id))?;
    check(own, body, &object, requests)?;
    inspect(own, body, &object)?;
    let deployment = own.whereabouts(Kind::File, &id, &record)?;
    visit.deployment = Some(deployment);
    let to = &own.plan.deployments[deployment];
    let path = path_of(to, Kind::Batch)?;
    let sent = Bytes::from(without(body, &object, OURS));
    let question = Question { method: "POST", path: &path, body: Some(sent), extra };
    let started = Instant::now();
    let said = Asking(to).ask(question).await;
    visit.upstream = started.elapsed();
    let said = said?;
    if said.is_well() {
        own.add(Kind::Batch, to, &said, None).await?;
    }
    Ok(answer_of(said))
}

fn check_fields(body: &[u8], object: &Object) -> Result<()> {
    let keys = object.fields.iter().map(|field| &body[field.key.clone()]);
    let Some(key) = keys.into_iter().find(|key| json::name_among(key, &FIELDS).is_none()) else {
        return Ok(());
    };
    let name = shown(&String::from_utf8_lossy(key));
    let message = format!("The field `{name}` is not served in batches.");
    Err(Error::new(Class::NotSupported, message).with_param(name))
}

/// Whether what was found when the file passed still allows it to run, and as what it is to run.
fn check(own: &Remembered, body: &Bytes, object: &Object, requests: &Requests) -> Result<()> {
    let of_endpoint = |error: Error| error.with_param("endpoint");
    let endpoint = text(body, object, "endpoint").map_err(of_endpoint)?;
    let operation = operation_of(own, &endpoint).map_err(of_endpoint)?;
    if !requests.operation.is_empty() && requests.operation != operation.name() {
        let message = "The lines of the file are for another `endpoint`.";
        return Err(Error::new(Class::InvalidRequest, message).with_param("endpoint"));
    }
    if let Some(model) = requests.models.iter().find(|model| !own.key.may_use(model)) {
        let message = format!("The key may not use the model `{}` any more.", shown(model));
        return Err(Error::new(Class::PermissionDenied, message).with_param(INPUT));
    }
    if own.plan.pii == Some(PiiMode::Block) && !requests.guarded {
        let message = "The file was not searched for personal data: upload it again.";
        return Err(Error::new(Class::GuardrailBlocked, message).with_param(INPUT));
    }
    Ok(())
}

/// A batch has labels of its own, which leave too.
fn inspect(own: &Remembered, body: &Bytes, object: &Object) -> Result<()> {
    let desk = &mut own.edge.desk.borrow_mut();
    own.edge.shop.inspect(&own.plan, desk, Operation::Batches, body, object)
}

fn unchecked(id: &str) -> Error {
    let message = format!("The file '{}' was not uploaded with the purpose `batch`.", shown(id));
    Error::new(Class::InvalidRequest, message).with_param(INPUT)
}

/// Remembers the files of results that a batch of this client's names, so that it can fetch them.
pub(super) async fn note_results(
    own: &Remembered,
    to: &Deployment,
    batch: &Said,
    extra: &Extra<'_>,
) {
    for name in RESULTS {
        let Some(id) = member(&batch.body, name).filter(|id| is_id(id)) else { continue };
        if own.find(Kind::File, &id).await.is_ok() {
            continue;
        }
        let file = match fetched(to, &id, extra).await {
            Some(file) => file,
            None => bare(&id, &batch.headers),
        };
        // Should it fail, the next look at the batch tries again.
        let _ = own.add(Kind::File, to, &file, None).await;
    }
}

/// The file's object, if its upstream tells.
async fn fetched(to: &Deployment, id: &str, extra: &Extra<'_>) -> Option<Said> {
    let all = path_of(to, Kind::File).ok()?;
    let (path, query) = all.split_once('?').unwrap_or((&all, ""));
    let mark = if query.is_empty() { "" } else { "?" };
    let path = format!("{path}/{}{mark}{query}", encode_segment(id));
    let question = Question { method: "GET", path: &path, body: None, extra };
    let said = Asking(to).ask(question).await.ok()?;
    let is_it = said.is_well() && member(&said.body, "id").as_deref() == Some(id);
    is_it.then_some(said)
}

/// What is known of a file without its upstream's word.
fn bare(id: &str, headers: &crate::headers::Headers) -> Said {
    let object = serde_json::json!({
        "id": id, "object": "file", "bytes": 0, "created_at": unix_seconds(),
        "filename": format!("{id}.jsonl"), "purpose": "batch_output", "status": "processed",
    });
    Said { status: 200, headers: headers.clone(), body: object.to_string().into() }
}

fn member(object: &[u8], name: &str) -> Option<String> {
    let field = json::find_member(object, name)?;
    serde_json::from_slice(&object[field.value]).ok()
}

/// The body without one of its fields.
fn without(body: &[u8], object: &Object, name: &str) -> Vec<u8> {
    let fields = &object.fields;
    let is_it = |value: &std::ops::Range<usize>| object.get(body, name).as_ref() == Some(value);
    let Some(at) = fields.iter().position(|field| is_it(&field.value)) else {
        return body.to_vec();
    };
    // With the comma that set it apart.
    let range = match (fields.get(at + 1), at.checked_sub(1)) {
        (Some(next), _) => fields[at].member.start..next.member.start,
        (None, Some(before)) => fields[before].member.end..fields[at].member.end,
        (None, None) => fields[at].member.clone(),
    };
    json::splice(body, &[(range, Vec::new())])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_field_is_left_out_with_its_comma() {
        for (body, expected) in [
            (r#"{"model":"m"}"#, "{}"),
            (r#"{"model":"m", "a":1}"#, r#"{"a":1}"#),
            (r#"{"a":1, "model":"m"}"#, r#"{"a":1}"#),
            (r#"{"a":1,"model":"m","b":{"model":"n"}}"#, r#"{"a":1,"b":{"model":"n"}}"#),
            (r#"{"a":1}"#, r#"{"a":1}"#),
        ] {
            let object = json::parse_object(body.as_bytes()).unwrap();
            let left = without(body.as_bytes(), &object, OURS);
            assert_eq!(String::from_utf8(left).unwrap(), expected);
        }
    }
}
