//! What a request goes on from: `previous_response_id`, looked up before the request is admitted.
//!
//! A response that the gateway keeps is joined with the request, so that any deployment can serve it. One
//! that an upstream keeps ties the request to whoever can see it there.

use super::{account, shown};
use crate::error::{Class, Error, Result};
use crate::json;
use crate::plan::{Deployment, Key, Plan};
use crate::snapshot::Operation;
use crate::store::Store;
use crate::store::entry::Content;
use bytes::Bytes;
use llmgw_formats::format::Fault;
use llmgw_formats::openai_responses::stored;
use std::sync::Arc;

/// The member that names what a request goes on from.
const MEMBER: &str = "previous_response_id";

/// What a request goes on from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Past {
    /// From nothing that the gateway knows of.
    #[default]
    None,
    /// From a response that the gateway keeps; its conversation is in the body now.
    Joined,
    /// From one that the upstream of this deployment keeps.
    At(usize),
}

impl Past {
    /// Whether a deployment can serve a request that goes on from this.
    #[must_use]
    pub fn is_open_to(self, plan: &Plan, deployment: &Deployment) -> bool {
        let Past::At(index) = self else { return true };
        deployment.serves(Operation::Responses) == Some(Operation::Responses)
            && deployment.account == plan.deployments[index].account
    }
}

/// Looks up what a request goes on from; the body is the one to go on with.
///
/// # Errors
/// `PreviousResponseNotFound` if the key has no such response, or nobody can see it any more;
/// `InvalidRequest` if the two cannot be joined.
pub async fn resolve(
    store: &Store,
    plan: &Arc<Plan>,
    key: &Key,
    body: Bytes,
) -> Result<(Bytes, Past)> {
    let Some(id) = plan.responses.as_ref().and_then(|_| named(&body)).transpose()? else {
        return Ok((body, Past::None));
    };
    let entry = store.find(plan, key.owner(), &id).await.ok_or_else(|| not_found(&id))?;
    match entry.content {
        Some(content) => Ok((joined(content, body).await?, Past::Joined)),
        None => {
            let index = account::find(plan, &entry.origin);
            index.map(|index| (body, Past::At(index))).ok_or_else(|| gone(&id))
        }
    }
}

/// None of a group's deployments can see what the request goes on from.
#[must_use]
pub fn elsewhere(group: &str) -> Error {
    let message = format!(
        "The previous response is kept by a provider that does not serve the model `{group}`: go on with \
         the model that made it, or send the conversation as `input`."
    );
    Error::new(Class::NotSupported, message).with_param(MEMBER)
}

/// The id in the body, if there is one. A body that is not valid has none: admission says why.
fn named(body: &Bytes) -> Option<Result<String>> {
    // The name may also be written with escapes.
    let finds = |part: &[u8]| memchr::memmem::find(body, part).is_some();
    if !finds(MEMBER.as_bytes()) && !finds(b"\\u00") {
        return None;
    }
    let object = json::parse_object(body).ok()?;
    let value = &body[object.get(body, MEMBER)?];
    if value == b"null" {
        return None;
    }
    let id = serde_json::from_slice::<String>(value);
    Some(id.map_err(|_| invalid(format!("The field `{MEMBER}` must be a string."))))
}

/// The request with the conversation before it. A long one takes its time: not on the thread that serves.
async fn joined(content: Content, body: Bytes) -> Result<Bytes> {
    let join = move || {
        let request = content.request();
        let [request, response, body] = [&request[..], &content.response, &body]
            .map(|text| simdutf8::basic::from_utf8(text).unwrap_or_default());
        stored::join(request, response, body).map(Bytes::from)
    };
    let ending = |_| Error::new(Class::Draining, "The gateway is shutting down.");
    tokio::task::spawn_blocking(join).await.map_err(ending)?.map_err(refused)
}

fn refused(fault: Fault) -> Error {
    let error = Error::new(Class::InvalidRequest, fault.message);
    match fault.param {
        Some(param) => error.with_param(param),
        None => error,
    }
}

fn not_found(id: &str) -> Error {
    let message = format!("Previous response with id '{}' not found.", shown(id));
    Error::new(Class::PreviousResponseNotFound, message).with_param(MEMBER)
}

fn gone(id: &str) -> Error {
    let id = shown(id);
    let message = format!(
        "Previous response with id '{id}' not found: the deployment that made it is not configured any more."
    );
    Error::new(Class::PreviousResponseNotFound, message).with_param(MEMBER)
}

fn invalid(message: String) -> Error {
    Error::new(Class::InvalidRequest, message).with_param(MEMBER)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn id_in(body: &'static str) -> Option<Result<String>> {
        named(&Bytes::from(body))
    }

    #[test]
    fn the_id_is_found_however_its_name_is_written() {
        for body in [
            r#"{"previous_response_id":"resp_1"}"#,
            r#"{"input":"x","previous_response_\u0069d" : "resp_1"}"#,
            r#"{"previous_response_id":"resp_\u0031"}"#,
        ] {
            assert_eq!(id_in(body).unwrap().unwrap(), "resp_1", "{body}");
        }
    }

    #[test]
    fn a_body_that_names_none_has_none() {
        for body in [
            r#"{"input":"x"}"#,
            r#"{"previous_response_id":null}"#,
            r#"{"input":"previous_response_id"}"#,
            r#"{"metadata":{"previous_response_id":"resp_1"}}"#,
            r#"{"previous_response_id":"#,
        ] {
            assert!(id_in(body).is_none(), "{body}");
        }
    }

    #[test]
    fn an_id_that_is_no_string_is_refused() {
        let error = id_in(r#"{"previous_response_id":7}"#).unwrap().unwrap_err();
        assert_eq!(error.class, Class::InvalidRequest);
        assert_eq!(error.param.as_deref(), Some(MEMBER));
    }

    #[tokio::test]
    async fn a_conversation_is_put_before_the_request() {
        let content = Content {
            input: Bytes::from(r#""hi""#),
            response: Bytes::from(r#"{"id":"resp_1","output":[{"type":"message"}]}"#),
        };
        let body = Bytes::from(r#"{"previous_response_id":"resp_1","input":"more"}"#);
        let value: serde_json::Value =
            serde_json::from_slice(&joined(content, body).await.unwrap()).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                (stored::JOINED): "resp_1",
                "input": [
                    {"type": "message", "role": "user", "content": "hi"},
                    {"type": "message"},
                    {"type": "message", "role": "user", "content": "more"},
                ],
            })
        );
    }
}
