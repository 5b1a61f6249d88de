//! Asks the upstream that keeps a response.

use super::lookup::Verb;
use crate::dispatch::{Extra, Partial};
use crate::error::{Class, Result};
use crate::headers::Headers;
use crate::plan::{Deployment, encode_segment};
use crate::relay::{Asking, Question};
use crate::snapshot::Operation;
use crate::upstream::Response;
use bytes::Bytes;
use tokio::time::Instant;

/// What of a client's query an upstream gets to see.
const PASSED_ON: [&str; 6] = ["include", "include[]", "include%5B%5D", "after", "limit", "order"];
/// The same, where events are asked for.
const OF_EVENTS: [&str; 3] = ["stream", "starting_after", "include_obfuscation"];

/// What an upstream said.
pub(super) enum Said {
    /// All of it.
    Whole {
        /// HTTP status.
        status: u16,
        /// Headers as received.
        headers: Headers,
        /// The body.
        body: Bytes,
    },
    /// Events, which are still to come.
    Events(Box<Partial>),
}

/// A response that an upstream keeps.
pub(super) struct Kept<'a> {
    /// The deployment that made it.
    pub(super) deployment: &'a Deployment,
    /// The model's name there.
    pub(super) model: &'a str,
    /// The response's id.
    pub(super) id: &'a str,
    /// What comes is asked for as events.
    pub(super) streams: bool,
}

impl Kept<'_> {
    /// Asks for it. What the upstream says of the response itself, also that it is gone, is for the client.
    ///
    /// # Errors
    /// Any class of an upstream that failed.
    pub(super) async fn ask(
        &self,
        verb: Verb,
        query: Option<&str>,
        extra: &Extra<'_>,
    ) -> Result<Said> {
        let (to, asking) = (self.deployment, Asking(self.deployment));
        let path = to.path(Operation::Responses, false, self.model);
        let path = path.ok_or_else(|| asking.fail(Class::NotSupported, "serves no responses"))?;
        let path = target(&path, self.id, verb, query, self.streams);
        let deadline = Instant::now() + to.total;
        let question = Question { method: verb.method(), path: &path, body: None, extra };
        let response = asking.open(question).await?;
        let is_events = response.headers.is_of_type("text/event-stream");
        if self.streams && response.status == 200 && is_events {
            return Ok(Said::Events(Box::new(events(response, to, deadline))));
        }
        let said = asking.settle(response, deadline).await?;
        Ok(Said::Whole { status: said.status, headers: said.headers, body: said.body })
    }
}

/// A reply of events, none of which has come.
fn events(response: Response, to: &Deployment, deadline: Instant) -> Partial {
    let Response { status, headers, body: rest } = response;
    let (first, hide_usage, translated, idle) = (Bytes::new(), false, None, to.idle);
    Partial { status, headers, first, rest, hide_usage, translated, idle, deadline }
}

/// Path and query of a response, below those of all responses.
fn target(all: &str, id: &str, verb: Verb, query: Option<&str>, streams: bool) -> String {
    let (path, own) = all.split_once('?').unwrap_or((all, ""));
    let mut target = [path, "/", &encode_segment(id), verb.suffix()].concat();
    let passed = |field: &&str| {
        let name = field.split_once('=').map_or(*field, |(name, _)| name);
        PASSED_ON.iter().any(|known| known.eq_ignore_ascii_case(name))
            || (streams && OF_EVENTS.contains(&name))
    };
    let fields = own.split('&').filter(|field| !field.is_empty());
    let fields = fields.chain(query.unwrap_or_default().split('&').filter(passed));
    for (index, field) in fields.enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        target.push_str(field);
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_lies_below_the_others() {
        let all = "/v1/responses";
        assert_eq!(target(all, "resp_1", Verb::Retrieve, None, false), "/v1/responses/resp_1");
        assert_eq!(target(all, "resp_1", Verb::Cancel, None, false), "/v1/responses/resp_1/cancel");
    }

    #[test]
    fn an_id_is_one_segment() {
        assert_eq!(target("/r", "a=b:c", Verb::Delete, None, false), "/r/a%3Db%3Ac");
    }

    #[test]
    fn how_events_are_wanted_is_told_where_they_are() {
        let query = Some("stream=true&starting_after=3&key=x");
        let path = |streams| target("/r", "i", Verb::Retrieve, query, streams);
        assert_eq!(path(true), "/r/i?stream=true&starting_after=3");
        assert_eq!(path(false), "/r/i");
    }

    #[test]
    fn the_hosts_own_query_stays_and_the_clients_is_added() {
        let query = "limit=2&include[]=a&include%5b%5D=b&api-version=9&key=x";
        assert_eq!(
            target("/r?api-version=1", "i", Verb::InputItems, Some(query), false),
            "/r/i/input_items?api-version=1&limit=2&include[]=a&include%5b%5D=b"
        );
    }
}
