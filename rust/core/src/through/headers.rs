//! Which headers pass: lists of those that do, so that what nobody thought of stays behind.

use super::door::Door;
use crate::headers::Headers;
use crate::plan::Deployment;
use std::borrow::Cow;

/// Headers of clients that hosts get to see. Not `idempotency-key`: two tenants behind one credential could
/// get each other's answers.
const OF_CLIENTS: [&str; 23] = [
    "accept",
    "accept-language",
    "anthropic-beta",
    "anthropic-dangerous-direct-browser-access",
    "anthropic-version",
    "content-disposition",
    "content-language",
    "content-md5",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "openai-beta",
    "prefer",
    "range",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-client-name",
    "x-goog-api-client",
    "x-goog-fieldmask",
];
/// The same, by how they begin.
const OF_CLIENTS_BEGINNING: [&str; 3] = ["x-stainless-", "x-goog-upload-", "x-amzn-bedrock-"];

/// Headers of hosts that clients get to see besides those of every reply. Not `set-cookie`, nor what tells
/// of the operator's account.
const OF_HOSTS: [&str; 13] = [
    "accept-ranges",
    "apim-request-id",
    "cache-control",
    "content-disposition",
    "content-range",
    "etag",
    "last-modified",
    "retry-after",
    "retry-after-ms",
    "x-amzn-errortype",
    "x-amzn-requestid",
    "x-goog-upload-status",
    "x-should-retry",
];
const OF_HOSTS_BEGINNING: [&str; 1] = ["x-amzn-bedrock-"];

/// The client's own word counts: it knows which version it speaks.
const VERSION: &str = "anthropic-version";

/// What of a client's headers goes to the host, with a deployment's own lines.
pub struct Sent {
    /// The client's, each name once.
    pub own: Vec<(String, Vec<u8>)>,
    /// The deployment's lines, the credential among them.
    pub fixed: String,
}

impl Sent {
    /// Of a request. A name that the deployment sets itself is the deployment's, except for the version of an API.
    #[must_use]
    pub fn new(headers: &Headers, door: &Door, deployment: &Deployment) -> Self {
        let fixed = deployment.headers_but_type();
        let mut own: Vec<(String, Vec<u8>)> = Vec::new();
        for (name, value) in headers.iter() {
            let Ok(name) = String::from_utf8(name.to_ascii_lowercase()) else { continue };
            let wanted =
                passes(&name, &OF_CLIENTS, &OF_CLIENTS_BEGINNING) || door.headers.contains(&name);
            if !wanted || (name != VERSION && sets(fixed, &name)) {
                continue;
            }
            match own.iter_mut().find(|(known, _)| *known == name) {
                // A list over several lines is the same as one with commas.
                Some((_, before)) => before.extend_from_slice(&[b", ", value].concat()),
                None => own.push((name, value.to_vec())),
            }
        }
        let says_version = own.iter().any(|(name, _)| name == VERSION);
        let lines = fixed.split_inclusive("\r\n");
        let fixed = lines.filter(|line| !(says_version && line.starts_with(VERSION))).collect();
        Sent { own, fixed }
    }

    /// What of them a signature covers: what describes the body, and what AWS's service reads.
    #[must_use]
    pub fn signed(&self) -> Vec<(&str, Cow<'_, str>)> {
        let covered = |name: &str| name == "content-type" || name.starts_with("x-amzn-");
        let own = self.own.iter().filter(|(name, _)| covered(name));
        own.map(|(name, value)| (&**name, String::from_utf8_lossy(value))).collect()
    }
}

/// Whether a client gets to see a header of the host's reply.
#[must_use]
pub fn is_shown(name: &str) -> bool {
    passes(name, &OF_HOSTS, &OF_HOSTS_BEGINNING)
}

fn passes(name: &str, names: &[&str], beginnings: &[&str]) -> bool {
    names.contains(&name) || beginnings.iter().any(|start| name.starts_with(start))
}

fn sets(lines: &str, name: &str) -> bool {
    lines.lines().any(|line| line.split_once(':').is_some_and(|(set, _)| set == name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing;
    use serde_json::json;

    fn sent(client: &[(&str, &str)]) -> Sent {
        let plan = testing::plan(|snapshot| {
            snapshot["deployments"][0]["headers"] = json!([
                ["authorization", "Bearer own"],
                ["anthropic-version", "old"],
                ["openai-beta", "ours"]
            ]);
            snapshot["pass_through"] = json!([{
                "name": "vendor", "deployment": 0, "base_path": "", "paths": ["/"],
                "methods": ["GET"], "headers": ["x-special"],
            }]);
        });
        let mut map = http::HeaderMap::new();
        for (name, value) in client {
            map.append(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
        }
        Sent::new(&Headers::from_map(&map), &plan.doors[0], &plan.deployments[0])
    }

    fn names(sent: &Sent) -> Vec<&str> {
        sent.own.iter().map(|(name, _)| &**name).collect()
    }

    #[test]
    fn what_is_not_listed_stays_behind() {
        let sent = sent(&[
            ("authorization", "Bearer client"),
            ("x-api-key", "client"),
            ("x-goog-api-key", "client"),
            ("cookie", "a=b"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-http-method-override", "DELETE"),
            ("x-amz-security-token", "t"),
            ("connection", "x-special"),
            ("idempotency-key", "i"),
            ("accept", "*/*"),
            ("x-stainless-lang", "python"),
            ("x-special", "s"),
        ]);
        assert_eq!(names(&sent), ["accept", "x-stainless-lang", "x-special"]);
        assert!(sent.fixed.contains("authorization: Bearer own\r\n"));
    }

    #[test]
    fn the_deployment_wins_but_for_the_version() {
        let sent = sent(&[("openai-beta", "theirs"), ("anthropic-version", "new")]);
        assert_eq!(names(&sent), ["anthropic-version"]);
        assert!(!sent.fixed.contains("anthropic-version"));
        assert!(sent.fixed.contains("openai-beta: ours\r\n"));
    }

    #[test]
    fn a_list_over_several_lines_is_one() {
        let sent = sent(&[("anthropic-beta", "a"), ("anthropic-beta", "b")]);
        assert_eq!(sent.own, [("anthropic-beta".to_owned(), b"a, b".to_vec())]);
    }

    #[test]
    fn cookies_and_accounts_are_not_shown() {
        for name in ["set-cookie", "location", "server", "openai-organization", "x-goog-upload-url"]
        {
            assert!(!is_shown(name), "{name}");
        }
        assert!(is_shown("x-amzn-errortype"));
    }
}
