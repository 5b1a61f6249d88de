//! The mock upstream's files and batches: kept in memory, the oldest let go of when there are many.

use super::connection::Reply;
use super::failure::Failure;
use super::form;
use super::replies::CREATED;
use super::wire::Request;
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Files that are kept, and batches.
const MOST: usize = 256;
/// Bytes of all files that are kept.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What was brought, and what was made of it.
#[derive(Debug, Default)]
pub(super) struct Cabinet {
    files: VecDeque<(Value, Bytes)>,
    batches: VecDeque<Value>,
}

impl Cabinet {
    fn file(&self, id: &str) -> Option<&(Value, Bytes)> {
        self.files.iter().find(|(file, _)| file["id"] == id)
    }

    /// Keeps a file; its object.
    fn keep(&mut self, purpose: &str, filename: &str, content: Bytes) -> Value {
        let file = json!({
            "id": format!("file-mock{:016x}", fastrand::u64(..)), "object": "file",
            "bytes": content.len(), "created_at": CREATED, "filename": filename,
            "purpose": purpose, "status": "processed",
        });
        self.files.push_back((file.clone(), content));
        let bytes = |files: &VecDeque<(Value, Bytes)>| -> usize {
            files.iter().map(|(_, content)| content.len()).sum()
        };
        while self.files.len() > MOST || bytes(&self.files) > MOST_BYTES {
            self.files.pop_front();
        }
        file
    }
}

type Answered = Result<Reply, Failure>;

/// The reply, if the request is for files or batches. `run` answers a request of a batch.
pub(super) fn answer(
    endpoint: &str,
    request: &Request,
    cabinet: &Mutex<Cabinet>,
    run: impl Fn(Request) -> Answered,
) -> Option<Answered> {
    let mut parts = endpoint.trim_start_matches('/').splitn(3, '/');
    let (what, id, action) = (parts.next()?, parts.next(), parts.next());
    let asked = (what, &*request.method, id, action);
    Some(match asked {
        ("files", "POST", None, None) => bring(request, cabinet),
        ("files", "GET", None, None) => {
            let cabinet = open(cabinet);
            let files: Vec<&Value> = cabinet.files.iter().rev().map(|(file, _)| file).collect();
            Ok(Reply::json(&json!({"object": "list", "data": files, "has_more": false})))
        }
        ("files", method, Some(id), action) => of_file(method, id, action, cabinet),
        ("batches", "POST", None, None) => begin(request, cabinet),
        ("batches", "GET", Some(id), None) => retrieve(id, cabinet, run),
        ("batches", "POST", Some(id), Some("cancel")) => cancel(id, cabinet),
        ("files" | "batches", ..) => Err(Failure::refused(405, "Not with this method.")),
        _ => return None,
    })
}

fn open(cabinet: &Mutex<Cabinet>) -> MutexGuard<'_, Cabinet> {
    cabinet.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bring(request: &Request, cabinet: &Mutex<Cabinet>) -> Answered {
    let parts = form::parts(request).ok_or_else(|| Failure::refused(400, "That is no form."))?;
    let part = |name: &str| parts.iter().find(|part| part.name == name);
    let (Some(file), Some(purpose)) = (part("file"), part("purpose")) else {
        return Err(Failure::refused(400, "A file has a purpose and a content."));
    };
    let purpose = String::from_utf8_lossy(purpose.value).into_owned();
    let content = Bytes::copy_from_slice(file.value);
    let filename = file.filename.unwrap_or_default();
    Ok(Reply::json(&open(cabinet).keep(&purpose, filename, content)))
}

fn of_file(method: &str, id: &str, action: Option<&str>, cabinet: &Mutex<Cabinet>) -> Answered {
    let mut cabinet = open(cabinet);
    let missing = || Failure::refused(404, format!("No such File object: {id}"));
    let (file, content) = cabinet.file(id).cloned().ok_or_else(missing)?;
    match (method, action) {
        ("GET", None) => Ok(Reply::json(&file)),
        ("GET", Some("content")) => Ok(Reply::Body("application/octet-stream", content.to_vec())),
        ("DELETE", None) => {
            cabinet.files.retain(|(file, _)| file["id"] != id);
            Ok(Reply::json(&json!({"id": id, "object": "file", "deleted": true})))
        }
        _ => Err(Failure::refused(405, "Not with this method.")),
    }
}

fn begin(request: &Request, cabinet: &Mutex<Cabinet>) -> Answered {
    let asked: Value = serde_json::from_slice(&request.body)
        .map_err(|error| Failure::refused(400, format!("The body cannot be read: {error}.")))?;
    let mut cabinet = open(cabinet);
    let input = asked["input_file_id"].as_str().unwrap_or_default();
    if cabinet.file(input).is_none() {
        return Err(Failure::refused(400, format!("No such File object: {input}")));
    }
    let batch = json!({
        "id": format!("batch_mock{:016x}", fastrand::u64(..)), "object": "batch",
        "endpoint": asked["endpoint"], "errors": null, "input_file_id": input,
        "completion_window": asked["completion_window"], "status": "validating",
        "output_file_id": null, "error_file_id": null, "created_at": CREATED,
        "metadata": asked["metadata"], "request_counts": {"total": 0, "completed": 0, "failed": 0},
    });
    cabinet.batches.push_back(batch.clone());
    if cabinet.batches.len() > MOST {
        cabinet.batches.pop_front();
    }
    Ok(Reply::json(&batch))
}

/// A batch is done by the time that it is asked for.
fn retrieve(id: &str, cabinet: &Mutex<Cabinet>, run: impl Fn(Request) -> Answered) -> Answered {
    let (mut batch, input) = {
        let cabinet = open(cabinet);
        let batch = found(&cabinet, id)?.clone();
        let input = cabinet.file(batch["input_file_id"].as_str().unwrap_or_default());
        (batch, input.map(|(_, content)| content.clone()).unwrap_or_default())
    };
    if batch["status"] != "validating" {
        return Ok(Reply::json(&batch));
    }
    let (results, errors) = results(&input, run);
    let counts = [results.len(), errors.len()];
    let mut cabinet = open(cabinet);
    for (name, lines) in [("output_file_id", results), ("error_file_id", errors)] {
        if !lines.is_empty() {
            let content = Bytes::from(lines.concat());
            let file = cabinet.keep("batch_output", &format!("{id}_{name}.jsonl"), content);
            batch[name] = file["id"].clone();
        }
    }
    batch["status"] = "completed".into();
    batch["request_counts"] =
        json!({"total": counts[0] + counts[1], "completed": counts[0], "failed": counts[1]});
    replace(&mut cabinet, &batch);
    Ok(Reply::json(&batch))
}

fn cancel(id: &str, cabinet: &Mutex<Cabinet>) -> Answered {
    let mut cabinet = open(cabinet);
    let mut batch = found(&cabinet, id)?.clone();
    if batch["status"] != "validating" {
        let message = format!("Cannot cancel a batch with status '{}'.", batch["status"]);
        return Err(Failure::refused(409, message));
    }
    batch["status"] = "cancelled".into();
    replace(&mut cabinet, &batch);
    Ok(Reply::json(&batch))
}

fn found<'a>(cabinet: &'a Cabinet, id: &str) -> Result<&'a Value, Failure> {
    let missing = || Failure::refused(404, format!("No batch found with id '{id}'."));
    cabinet.batches.iter().find(|batch| batch["id"] == id).ok_or_else(missing)
}

fn replace(cabinet: &mut Cabinet, batch: &Value) {
    if let Some(own) = cabinet.batches.iter_mut().find(|own| own["id"] == batch["id"]) {
        own.clone_from(batch);
    }
}

/// The lines of results and of errors.
fn results(input: &[u8], run: impl Fn(Request) -> Answered) -> (Vec<String>, Vec<String>) {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    let lines = input.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    for line in lines {
        let request: Value = serde_json::from_slice(line).unwrap_or_default();
        let body = request["body"].to_string();
        let (status, reply) = match run(Request {
            method: "POST".into(),
            path: request["url"].as_str().unwrap_or_default().into(),
            body: body.as_bytes().into(),
            ..Request::default()
        }) {
            Ok(Reply::Body(_, body)) => (200, serde_json::from_slice(&body).unwrap_or_default()),
            Ok(Reply::Stream(_)) => (400, json!({"error": {"message": "No streams here."}})),
            Err(failure) => {
                (failure.status, serde_json::from_slice(&failure.body()).unwrap_or_default())
            }
        };
        let line = json!({
            "id": format!("batch_req_{:016x}", fastrand::u64(..)), "custom_id": request["custom_id"],
            "response": {"status_code": status, "request_id": "", "body": reply},
            "error": null,
        });
        if status == 200 { &mut results } else { &mut errors }.push(format!("{line}\n"));
    }
    (results, errors)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(answered: Option<Answered>) -> Value {
        match answered.unwrap() {
            Ok(Reply::Body(_, body)) => serde_json::from_slice(&body).unwrap(),
            Ok(Reply::Stream(_)) => panic!("a stream"),
            Err(failure) => serde_json::from_slice(&failure.body()).unwrap(),
        }
    }

    fn ask(cabinet: &Mutex<Cabinet>, method: &str, path: &str, body: &str) -> Value {
        let request =
            Request { method: method.into(), body: body.as_bytes().into(), ..Request::default() };
        let run = |request: Request| match &request.body[..] {
            b"1" => Ok(Reply::json(&json!({"said": request.path}))),
            _ => Err(Failure::refused(400, "No.")),
        };
        said(answer(path, &request, cabinet, run))
    }

    #[test]
    fn a_batch_is_done_when_it_is_asked_for() {
        let cabinet = Mutex::<Cabinet>::default();
        let lines = "{\"custom_id\":\"a\",\"url\":\"/x\",\"body\":1}\n\
                     {\"custom_id\":\"b\",\"url\":\"/x\",\"body\":2}";
        let input = open(&cabinet).keep("batch", "in.jsonl", lines.into())["id"].clone();
        let asked = json!({"input_file_id": input, "endpoint": "/x"}).to_string();
        let made = ask(&cabinet, "POST", "/batches", &asked);
        assert_eq!(made["status"], "validating");

        let id = made["id"].as_str().unwrap();
        let done = ask(&cabinet, "GET", &format!("/batches/{id}"), "");
        assert_eq!(done["status"], "completed");
        assert_eq!(done["request_counts"], json!({"total": 2, "completed": 1, "failed": 1}));
        let output = done["output_file_id"].as_str().unwrap();
        let content = ask(&cabinet, "GET", &format!("/files/{output}/content"), "");
        assert_eq!(content["response"]["body"], json!({"said": "/x"}));
        let cancelled = ask(&cabinet, "POST", &format!("/batches/{id}/cancel"), "");
        assert!(cancelled["error"].is_object());
    }

    #[test]
    fn a_deleted_file_is_gone() {
        let cabinet = Mutex::<Cabinet>::default();
        let id = open(&cabinet).keep("evals", "a", "abc".into())["id"].clone();
        let path = format!("/files/{}", id.as_str().unwrap());
        assert_eq!(ask(&cabinet, "GET", &path, "")["bytes"], 3);
        assert_eq!(ask(&cabinet, "DELETE", &path, "")["deleted"], true);
        assert!(ask(&cabinet, "GET", &path, "")["error"].is_object());
    }

    #[test]
    fn the_oldest_files_go_when_there_are_many() {
        let mut cabinet = Cabinet::default();
        for _ in 0..=MOST {
            cabinet.keep("evals", "a", Bytes::from_static(b"x"));
        }
        assert_eq!(cabinet.files.len(), MOST);
        cabinet.keep("evals", "a", vec![0; MOST_BYTES].into());
        assert_eq!(cabinet.files.len(), 1);
    }
}
