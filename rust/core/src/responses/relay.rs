//! Asks the upstream that keeps a response.

use super::lookup::Verb;
use crate::dispatch::{Extra, Partial};
use crate::error::{Class, Error, Result};
use crate::headers::Headers;
use crate::plan::{Deployment, encode_segment};
use crate::snapshot::Operation;
use crate::store::unix_seconds;
use crate::upstream::{Body, Outgoing, Response, SendError};
use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};

/// The largest reply that is passed on.
const MOST: usize = 64 * 1024 * 1024;
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
        let to = self.deployment;
        let path = to.path(Operation::Responses, false, self.model);
        let path = path.ok_or_else(|| self.fail(Class::NotSupported, "serves no responses"))?;
        let path = target(&path, self.id, verb, query, self.streams);
        let method = verb.method();
        let signed = to.signer.as_ref().map(|signer| {
            signer.sign(method, to.origin.authority(), &path, &[], &[], unix_seconds())
        });
        let signed = signed.iter().flatten().map(|(name, value)| (*name, value.as_bytes()));
        let extra: Vec<_> = extra.iter().copied().chain(signed).collect();
        // There is no body that could have a type.
        let lines = to.headers.split_inclusive("\r\n");
        let fixed: String = lines.filter(|line| !line.starts_with("content-type:")).collect();
        let request =
            Outgoing { method, path: &path, fixed: &fixed, extra: &extra, body: Bytes::new() };
        let started = Instant::now();
        let late = |_| self.fail(Class::UpstreamTimeout, "did not answer in time");
        let first_byte = started + to.first_byte.min(to.total);
        let sent = timeout_at(first_byte, to.origin.send(request)).await.map_err(late)?;
        let Response { status, headers, body } = sent.map_err(|error| self.unsent(&error))?;
        let deadline = started + to.total;
        if self.streams && status == 200 && headers.is_of_type("text/event-stream") {
            let (first, idle) = (Bytes::new(), to.idle);
            let (hide_usage, translated) = (false, None);
            return Ok(Said::Events(Box::new(Partial {
                status,
                headers,
                first,
                rest: body,
                hide_usage,
                translated,
                idle,
                deadline,
            })));
        }
        let read = timeout_at(deadline, read(body)).await.map_err(late)?;
        let body = read.ok_or_else(|| self.fail(Class::UpstreamProtocol, "broke off its reply"))?;
        self.judged(status, headers, body)
    }

    /// Lets a client see what is meant for it.
    fn judged(&self, status: u16, headers: Headers, body: Bytes) -> Result<Said> {
        let is_json = headers.is_of_type("application/json");
        let is_empty = body.is_empty();
        let said = Said::Whole { status, headers, body };
        let class = match status {
            200..=299 if is_json || is_empty => return Ok(said),
            401 | 403 => Class::UpstreamAuth,
            408 | 504 => Class::UpstreamTimeout,
            429 => Class::UpstreamRateLimited,
            400..=499 if is_json => return Ok(said),
            404 => Class::NotFound,
            400..=499 => Class::UpstreamRejected,
            500..=599 => Class::UpstreamOverloaded,
            _ => Class::UpstreamProtocol,
        };
        Err(self.fail(class, &format!("answered with status {status}")))
    }

    fn unsent(&self, error: &SendError) -> Error {
        match error {
            SendError::Protocol => self.fail(Class::UpstreamProtocol, "did not answer in HTTP"),
            SendError::Unreachable(_) => {
                self.fail(Class::UpstreamUnreachable, "could not be reached")
            }
            SendError::Broken => {
                let what = "closed the connection without an answer";
                self.fail(Class::UpstreamUnreachable, what)
            }
        }
    }

    fn fail(&self, class: Class, what: &str) -> Error {
        Error::new(class, format!("Deployment `{}` {what}.", self.deployment.id))
    }
}

/// All of a body; `None` if it ends early, or is too large.
async fn read(mut rest: Body) -> Option<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = rest.chunk().await {
        body.extend_from_slice(&chunk.ok()?);
        if body.len() > MOST {
            return None;
        }
    }
    Some(body.freeze())
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
