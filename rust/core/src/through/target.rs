//! A client's path and query, read strictly, and as they are sent to the host.
//!
//! The edge has refused dot segments, empty segments and backslashes already. Here it is made sure that
//! the host cannot read another path than the one that was checked, whatever it decodes.

use super::door::Door;
use super::known;
use crate::access::percent_decode;
use crate::error::{Class, Error, Result};

/// Fields of a query that show a credential, or change what a request is.
const NEVER_SENT: [&str; 14] = [
    "key",
    "api_key",
    "api-key",
    "apikey",
    "x-api-key",
    "x-goog-api-key",
    "access_token",
    "oauth_token",
    "authorization",
    "subscription-key",
    "bearer_token",
    "httpmethod",
    "x-http-method-override",
    "callback",
];
/// Fields that name a model.
const MODELS: [&str; 4] = ["model", "deployment", "model_id", "engine"];

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// Path and query at the host.
    pub path: String,
    /// The models that they name.
    pub models: Vec<String>,
}

impl Target {
    /// Reads what stands behind the door's name, and the query.
    ///
    /// # Errors
    /// `InvalidRequest` for what two readers could understand differently, `PermissionDenied` for a path that is
    /// not let through.
    pub fn new(door: &Door, rest: &str, query: Option<&str>) -> Result<Self> {
        let segments = segments(rest)?;
        if !door.lets_through(rest) {
            let message = format!("This path of `{}` is not passed through.", door.name);
            return Err(Error::new(Class::PermissionDenied, message));
        }
        let mut path = door.path_at_host(rest);
        let mut models = known::models_in(&segments);
        let mut mark = '?';
        for field in query.unwrap_or_default().split('&').filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            let name = decoded_field(name)?.to_ascii_lowercase();
            if is_never_sent(&name) {
                continue;
            }
            if MODELS.contains(&&*name) {
                models.push(decoded_field(value)?);
            }
            path.push(mark);
            path.push_str(field);
            mark = '&';
        }
        Ok(Target { path, models })
    }
}

/// The segments of a path, each decoded.
fn segments(path: &str) -> Result<Vec<String>> {
    let mut segments: Vec<String> = Vec::new();
    for raw in path.split('/').skip(1) {
        let segment = percent_decode(raw).ok_or_else(ambiguous)?;
        let may_hold_slash = segments.last().is_some_and(|before| known::precedes_model(before));
        let is_odd =
            |c: char| c.is_control() || "%\\;?#".contains(c) || (c == '/' && !may_hold_slash);
        if segment.chars().any(is_odd) || segment.split('/').any(|part| matches!(part, "." | ".."))
        {
            return Err(ambiguous());
        }
        if segment.contains("//") || (segment.contains('/') && segment.ends_with('/')) {
            return Err(ambiguous());
        }
        segments.push(segment);
    }
    Ok(segments)
}

fn is_never_sent(name: &str) -> bool {
    // Google's parameters may have a dollar before them, and AWS's make up a signature.
    let name = name.strip_prefix('$').unwrap_or(name);
    NEVER_SENT.contains(&name) || name.starts_with("x-amz-")
}

fn decoded_field(text: &str) -> Result<String> {
    percent_decode(text)
        .filter(|text| !text.contains(char::is_control))
        .ok_or_else(|| Error::new(Class::InvalidRequest, "The query is not encoded as URLs are."))
}

fn ambiguous() -> Error {
    let message = "The path holds an encoding that could be read in more than one way.";
    Error::new(Class::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing;
    use serde_json::json;

    fn target(path: &str, query: Option<&str>) -> Result<Target> {
        let plan = testing::plan(|snapshot| {
            snapshot["pass_through"] = json!([{
                "name": "vendor", "deployment": 0, "base_path": "/base",
                "paths": ["/v1/", "/model/", "/v1beta/"], "methods": ["GET"], "headers": [],
            }]);
        });
        Target::new(&plan.doors[0], path, query)
    }

    #[test]
    fn a_path_is_sent_as_it_was_written() {
        let arn = "/model/arn%3Aaws%3Abedrock%3Aeu%3A1%3Ainference-profile%2Feu.claude/converse";
        let found = target(arn, Some("a=%2F&b")).unwrap();
        assert_eq!(found.path, ["/base", arn, "?a=%2F&b"].concat());
        assert_eq!(found.models, ["arn:aws:bedrock:eu:1:inference-profile/eu.claude"]);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for path in [
            "/v1/%252e%252e/x",
            "/v1/a%2Fb",
            "/v1/a%2f%2e%2e%2fb",
            "/v1/..;/x",
            "/v1/x%3By",
            "/v1/x;y",
            "/v1/%c0%ae%c0%ae/x",
            "/v1/%0d%0aHost:x",
            "/v1/%7f",
            "/v1/x%3Fkey=1",
            "/v1/x%23y",
            "/v1/x%",
            "/model/%2e%2e%2fx/converse",
            "/model/a%2F%2Fb/converse",
            "/model/a%2F/converse",
        ] {
            assert_eq!(target(path, None).unwrap_err().class, Class::InvalidRequest, "{path}");
        }
    }

    #[test]
    fn only_what_is_let_through_is_reached() {
        for path in ["/v2/x", "/", "/v1", "/%76%31/x", "/V1/x"] {
            assert_eq!(target(path, None).unwrap_err().class, Class::PermissionDenied, "{path}");
        }
    }

    #[test]
    fn credentials_in_the_query_stay_here() {
        let query = "alt=sse&key=k&%6bey=k&KEY=k&$key=k&access_token=t&X-Amz-Signature=s&a=1";
        assert_eq!(target("/v1/x", Some(query)).unwrap().path, "/base/v1/x?alt=sse&a=1");
        assert_eq!(target("/v1/x", Some("key=k")).unwrap().path, "/base/v1/x");
        assert!(target("/v1/x", Some("a%zz=1")).is_err());
    }

    #[test]
    fn a_query_may_name_a_model() {
        let found = target("/v1/realtime", Some("model=gpt%2Dx&deployment=d")).unwrap();
        assert_eq!(found.models, ["gpt-x", "d"]);
    }

    #[test]
    fn a_model_is_found_however_its_path_is_encoded() {
        for path in ["/v1beta/models/g%2Dx:generateContent", "/v1beta/m%6Fdels/g-x:generateContent"]
        {
            assert_eq!(target(path, None).unwrap().models, ["g-x"], "{path}");
        }
    }
}
