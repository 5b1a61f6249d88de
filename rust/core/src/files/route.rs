//! Which requests are for files and batches, and what they want of them.

use crate::access;
use crate::http1::Head;
use crate::store::shelf::Kind;

/// What may stand before `/files` and `/batches`: the last is Azure's.
const PREFIXES: [&str; 3] = ["/v1", "", "/openai/v1"];

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// A new one.
    Create,
    /// Those that there are.
    List,
    /// One of them.
    Retrieve,
    /// That it is gone.
    Delete,
    /// What is in it.
    Content,
    /// That it is not gone on with.
    Cancel,
}

/// A request for files or batches.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    /// Of which it is.
    pub kind: Kind,
    /// What is wanted.
    pub verb: Verb,
    /// Which one; empty if it is for no single one.
    pub id: String,
}

impl Route {
    /// The endpoint's name in metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match (self.kind, self.verb) {
            (Kind::File, Verb::List) => "files_list",
            (Kind::File, Verb::Retrieve) => "files_retrieve",
            (Kind::File, Verb::Delete) => "files_delete",
            (Kind::File, Verb::Content) => "files_content",
            (Kind::File, _) => "files",
            (Kind::Batch, Verb::List) => "batches_list",
            (Kind::Batch, Verb::Retrieve) => "batches_retrieve",
            (Kind::Batch, Verb::Cancel) => "batches_cancel",
            (Kind::Batch, _) => "batches",
        }
    }
}

/// What a request asks of files or batches, if it does.
#[must_use]
pub fn route(head: &Head) -> Option<Route> {
    let path = head.path();
    let (kind, below) = PREFIXES.iter().find_map(|prefix| below(path.strip_prefix(prefix)?))?;
    let (id, action) = match below.strip_prefix('/') {
        None => ("", ""),
        Some(below) => below.split_once('/').unwrap_or((below, "")),
    };
    let verb = match (head.method(), kind, below.is_empty(), action) {
        ("POST", _, true, _) => Verb::Create,
        ("GET" | "HEAD", _, true, _) => Verb::List,
        ("GET" | "HEAD", _, false, "") => Verb::Retrieve,
        ("DELETE", Kind::File, false, "") => Verb::Delete,
        ("GET", Kind::File, false, "content") => Verb::Content,
        ("POST", Kind::Batch, false, "cancel") => Verb::Cancel,
        _ => return None,
    };
    let id = access::percent_decode(id)?;
    (below.is_empty() == id.is_empty()).then_some(Route { kind, verb, id })
}

/// Whose path it is, and what follows in it: nothing, or a slash and more.
fn below(path: &str) -> Option<(Kind, &str)> {
    let (kind, rest) = match path.strip_prefix("/files") {
        Some(rest) => (Kind::File, rest),
        None => (Kind::Batch, path.strip_prefix("/batches")?),
    };
    (rest.is_empty() || rest.starts_with('/')).then_some((kind, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http1::take_head;
    use bytes::BytesMut;

    fn routed(method: &str, target: &str) -> Option<(Kind, Verb, String)> {
        let text = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        let head = take_head(&mut BytesMut::from(&text[..]), 4096).unwrap().unwrap();
        route(&head).map(|found| (found.kind, found.verb, found.id))
    }

    #[test]
    fn files_and_batches_are_asked_for_by_method_and_path() {
        for (method, path, kind, verb, id) in [
            ("POST", "/v1/files", Kind::File, Verb::Create, ""),
            ("GET", "/files?limit=2", Kind::File, Verb::List, ""),
            ("GET", "/v1/files/file-1", Kind::File, Verb::Retrieve, "file-1"),
            ("DELETE", "/openai/v1/files/file-1", Kind::File, Verb::Delete, "file-1"),
            ("GET", "/v1/files/a%2Fb/content", Kind::File, Verb::Content, "a/b"),
            ("POST", "/v1/batches", Kind::Batch, Verb::Create, ""),
            ("GET", "/v1/batches", Kind::Batch, Verb::List, ""),
            ("GET", "/batches/batch_1", Kind::Batch, Verb::Retrieve, "batch_1"),
            ("POST", "/v1/batches/batch_1/cancel", Kind::Batch, Verb::Cancel, "batch_1"),
        ] {
            assert_eq!(routed(method, path), Some((kind, verb, id.into())), "{method} {path}");
        }
    }

    #[test]
    fn other_methods_and_paths_ask_for_none() {
        for (method, path) in [
            ("PUT", "/v1/files"),
            ("DELETE", "/v1/files"),
            ("POST", "/v1/files/file-1"),
            ("GET", "/v1/files/"),
            ("GET", "/v1/filesystem"),
            ("GET", "/v2/files"),
            ("GET", "/v1/files/file-1/contents"),
            ("GET", "/v1/files/file-1/content/x"),
            ("HEAD", "/v1/files/file-1/content"),
            ("DELETE", "/v1/batches/batch_1"),
            ("GET", "/v1/batches/batch_1/cancel"),
            ("GET", "/v1/files/%zz"),
        ] {
            assert_eq!(routed(method, path), None, "{method} {path}");
        }
    }
}
