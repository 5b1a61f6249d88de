//! A configured pass-through: whose host, which paths, and what may be said there.

use super::known;
use crate::access;
use crate::plan::Deployment;
use crate::snapshot::{Operation, PassThrough};
use llmgw_formats::Kind;

/// A way to a provider's own API.
#[derive(Debug)]
pub struct Door {
    /// The first segment of its paths here.
    pub name: String,
    /// Index of the deployment that lends host and credential.
    pub deployment: usize,
    base_path: String,
    paths: Vec<String>,
    methods: Vec<String>,
    /// More headers of clients that the host gets to see, in lower case.
    pub headers: Vec<String>,
    /// The dialect of the host, where it has one of its own.
    dialect: Kind,
}

impl Door {
    /// Makes one ready.
    ///
    /// # Errors
    /// What of it cannot be used, in one sentence.
    pub fn new(one: PassThrough, deployments: &[Deployment]) -> Result<Self, String> {
        let fail = |what: &str| format!("pass-through {}: {what}", one.name);
        let deployment =
            deployments.get(one.deployment).ok_or_else(|| fail("its deployment does not exist"))?;
        let is_base = one.base_path.is_empty() || is_plain(&one.base_path);
        if !is_base || !one.paths.iter().all(|path| is_plain(path)) {
            return Err(fail("a path that is not plain"));
        }
        if one.paths.is_empty() || one.name.is_empty() || one.name.contains('/') {
            return Err(fail("it has no name, or no paths"));
        }
        Ok(Door {
            dialect: own_dialect(deployment),
            name: one.name,
            deployment: one.deployment,
            base_path: one.base_path,
            paths: one.paths,
            methods: one.methods,
            headers: one.headers,
        })
    }

    /// What stands behind the name in a path, if it is one of this door's.
    #[must_use]
    pub fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix('/')?.strip_prefix(&*self.name)?;
        rest.starts_with('/').then_some(rest)
    }

    /// Whether a path of the host, as it is written, begins as one of those that are let through, up to a
    /// border.
    #[must_use]
    pub fn lets_through(&self, rest: &str) -> bool {
        self.paths.iter().any(|prefix| {
            rest.strip_prefix(&**prefix).is_some_and(|behind| {
                behind.is_empty() || prefix.ends_with('/') || behind.starts_with(['/', ':'])
            })
        })
    }

    /// Whether the method is let through.
    #[must_use]
    pub fn takes(&self, method: &str) -> bool {
        self.methods.iter().any(|one| one == method)
    }

    /// The path at the host.
    #[must_use]
    pub fn path_at_host(&self, rest: &str) -> String {
        [&self.base_path, rest].concat()
    }

    /// The path here of a path at the host, if it is one that is let through.
    #[must_use]
    pub fn path_here(&self, path_and_query: &str) -> Option<String> {
        let rest = path_and_query.strip_prefix(&*self.base_path)?;
        let path = rest.split(['?', '#']).next().unwrap_or_default();
        let leads = rest.starts_with('/') && !rest.starts_with("//") && self.lets_through(path);
        leads.then(|| ["/", &self.name, rest].concat())
    }

    /// The dialect in which a client of that path expects to hear of failures.
    #[must_use]
    pub fn dialect(&self, rest: &str) -> Kind {
        if known::is_openai_surface(rest) {
            return Kind::OpenaiChat;
        }
        match access::dialect(rest) {
            Kind::OpenaiChat => self.dialect,
            other => other,
        }
    }
}

/// Whether a path holds nothing that could be read in two ways.
fn is_plain(path: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"/_~:@.-".contains(&byte);
    path.starts_with('/')
        && path.bytes().all(letters)
        && !path.contains("//")
        && !path.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn own_dialect(deployment: &Deployment) -> Kind {
    let has = |operation| deployment.serves(operation) == Some(operation);
    let own = [
        (Operation::ChatCompletions, Kind::OpenaiChat),
        (Operation::Messages, Kind::AnthropicMessages),
        (Operation::GenerateContent, Kind::GeminiGenerate),
        (Operation::Converse, Kind::BedrockConverse),
        (Operation::CohereChat, Kind::CohereChat),
    ];
    own.into_iter().find(|(operation, _)| has(*operation)).map_or(Kind::OpenaiChat, |found| found.1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing;
    use serde_json::json;

    fn door(paths: &[&str], base_path: &str) -> Result<Door, String> {
        let plan = testing::plan(|_| ());
        let one = json!({
            "name": "vendor", "deployment": 0, "base_path": base_path, "paths": paths,
            "methods": ["GET"], "headers": [],
        });
        Door::new(serde_json::from_value(one).unwrap(), &plan.deployments)
    }

    #[test]
    fn a_prefix_ends_at_a_border() {
        let door = door(&["/v1/messages", "/v1beta/models/"], "").unwrap();
        for path in ["/v1/messages", "/v1/messages/batches", "/v1/messages:x", "/v1beta/models/g"] {
            assert!(door.lets_through(path), "{path}");
        }
        for path in ["/v1/messagesx", "/v1/files", "/v1/%6dessages", "/v1beta/models", "/"] {
            assert!(!door.lets_through(path), "{path}");
        }
    }

    #[test]
    fn only_whole_names_count() {
        let door = door(&["/"], "").unwrap();
        assert_eq!(door.rest("/vendor/v1"), Some("/v1"));
        for path in ["/vendor", "/vendors/v1", "/Vendor/v1", "/v1/vendor/x"] {
            assert_eq!(door.rest(path), None, "{path}");
        }
    }

    #[test]
    fn a_place_at_the_host_is_told_as_ours_if_it_is_let_through() {
        let door = door(&["/v1/"], "/base").unwrap();
        assert_eq!(door.path_here("/base/v1/x?a=1").as_deref(), Some("/vendor/v1/x?a=1"));
        for path in ["/v1/x", "/base/v2/x", "/base//v1/x", "/basement/v1/x"] {
            assert_eq!(door.path_here(path), None, "{path}");
        }
    }

    #[test]
    fn paths_that_could_be_read_in_two_ways_are_refused() {
        for (paths, base) in [
            (&["v1"][..], ""),
            (&["/v1/../x"], ""),
            (&["/v1//x"], ""),
            (&["/v1%2f"], ""),
            (&["/"], "/a/.."),
            (&["/"], "//other.host"),
            (&[], ""),
        ] {
            assert!(door(paths, base).is_err(), "{paths:?} {base}");
        }
    }
}
