//! A response asked for as the stream of its events, from the beginning or after one of them.

use super::{Answer, Rest, Verb};
use crate::access::query_field;
use crate::error::{Class, Error, Result};
use crate::headers::Headers;
use crate::http1::Head;
use crate::store::entry::Content;
use llmgw_formats::openai_responses;

/// The media type of streams.
const EVENTS: &str = "text/event-stream; charset=utf-8";

/// Which events are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Those after the one of this number.
    pub(super) after: Option<u64>,
}

impl Wanted {
    /// What the query says; `None` if the response is wanted as it is.
    ///
    /// # Errors
    /// If the number is none.
    pub(super) fn of(head: &Head, verb: Verb) -> Result<Option<Self>> {
        let streams = query_field(head, "stream").is_some_and(|value| value != "false");
        if verb != Verb::Retrieve || !streams || head.method() == "HEAD" {
            return Ok(None);
        }
        let after = query_field(head, "starting_after").filter(|text| !text.is_empty());
        let after = after.map(|text| text.parse()).transpose().map_err(|_| {
            let message = "The parameter `starting_after` must be the number of an event.";
            Error::new(Class::InvalidRequest, message).with_param("starting_after")
        })?;
        Ok(Some(Wanted { after }))
    }

    /// The number of the first event that comes.
    pub(super) fn first(self) -> u64 {
        self.after.map_or(0, |number| number.saturating_add(1))
    }
}

/// The events of a response that the gateway keeps. They are many bytes: not made on the thread that serves.
pub(super) async fn replay(content: Content, wanted: Wanted) -> Result<Answer> {
    let write = move || {
        let response = simdutf8::basic::from_utf8(&content.response).unwrap_or_default();
        openai_responses::replay(response, wanted.after)
    };
    let ending = |_| Error::new(Class::Draining, "The gateway is shutting down.");
    let events = tokio::task::spawn_blocking(write).await.map_err(ending)?;
    let events = events.map_err(|fault| Error::new(Class::InternalError, fault.message))?;
    Ok(Answer { status: 200, headers: Headers::of_type(EVENTS), rest: Rest::Whole(events.into()) })
}
