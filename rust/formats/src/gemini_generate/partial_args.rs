//! Arguments of a call that come in pieces (Vertex, on request): each at its path.
//!
//! `{"jsonPath": "$.a.b[0]", "stringValue": "piece", "willContinue": true}`; a string goes on where the
//! path is the same as before. They become text only when the call is complete, since nothing says that
//! the paths come in order.

use super::names::{get, get_items, get_text};
use crate::value::Value;
use crate::writer::Writer;

/// How deep a path may go.
const DEEPEST: usize = 64;
/// How many values there may be.
const MOST: usize = 100_000;

/// The arguments so far.
#[derive(Debug, Default)]
pub(super) struct PartialArgs {
    root: Option<Node>,
    count: usize,
}

#[derive(Debug)]
enum Node {
    Text(String),
    Raw(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// A step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl PartialArgs {
    /// Adds the pieces of a `functionCall`.
    pub(super) fn add(&mut self, call: &Value<'_>) {
        for piece in get_items(call, "partialArgs") {
            let Some(steps) = get_text(piece, "jsonPath").and_then(|path| steps(&path)) else {
                continue;
            };
            let value = if let Some(text) = get_text(piece, "stringValue") {
                Node::Text(text.into_owned())
            } else if let Some(value) =
                get(piece, "numberValue").or_else(|| get(piece, "boolValue"))
            {
                Node::Raw(value.raw().to_owned())
            } else {
                Node::Raw("null".to_owned())
            };
            self.count += steps.len();
            if self.count <= MOST {
                let root = self.root.get_or_insert_with(|| Node::Object(Vec::new()));
                put(root, &steps, value);
            }
        }
    }

    /// The arguments as JSON text; nothing if no piece has come.
    pub(super) fn text(&self) -> Option<String> {
        let mut w = Writer::new();
        self.root.as_ref()?.write(&mut w);
        String::from_utf8(w.finish()).ok()
    }
}

impl Node {
    fn write(&self, w: &mut Writer) {
        match self {
            Node::Text(text) => w.string(text),
            Node::Raw(json) => w.raw(json),
            Node::Array(items) => w.array(|w| items.iter().for_each(|one| one.write(w))),
            Node::Object(members) => w.object(|w| {
                for (name, one) in members {
                    w.key(name);
                    one.write(w);
                }
            }),
        }
    }
}

/// Puts a value at a path below a node.
fn put(node: &mut Node, steps: &[Step], value: Node) {
    let Some((step, rest)) = steps.split_first() else {
        match (node, value) {
            (Node::Text(before), Node::Text(piece)) => before.push_str(&piece),
            (node, value) => *node = value,
        }
        return;
    };
    match step {
        Step::Name(name) => {
            if !matches!(node, Node::Object(_)) {
                *node = Node::Object(Vec::new());
            }
            let Node::Object(members) = node else { return };
            // The last one is the likeliest by far.
            let at = members.iter().rposition(|(known, _)| known == name);
            let at = at.unwrap_or_else(|| {
                members.push((name.clone(), empty(rest, &value)));
                members.len() - 1
            });
            put(&mut members[at].1, rest, value);
        }
        Step::Index(index) => {
            if !matches!(node, Node::Array(_)) {
                *node = Node::Array(Vec::new());
            }
            let Node::Array(items) = node else { return };
            // Holes would be an invitation to fill memory: the next place is the farthest.
            let at = (*index).min(items.len());
            if at == items.len() {
                items.push(empty(rest, &value));
            }
            put(&mut items[at], rest, value);
        }
    }
}

/// What a value is added to.
fn empty(rest: &[Step], value: &Node) -> Node {
    match (rest.first(), value) {
        (Some(Step::Name(_)), _) => Node::Object(Vec::new()),
        (Some(Step::Index(_)), _) => Node::Array(Vec::new()),
        (None, Node::Text(_)) => Node::Text(String::new()),
        (None, _) => Node::Raw(String::new()),
    }
}

/// The steps of a path such as `$.a['b c'][0]`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() && steps.len() < DEEPEST {
        if let Some(named) = rest.strip_prefix('.') {
            let end = named.find(['.', '[']).unwrap_or(named.len());
            steps.push(Step::Name(named[..end].to_owned()));
            rest = &named[end..];
        } else if let Some(quoted) = rest.strip_prefix("['").or_else(|| rest.strip_prefix("[\"")) {
            let end = quoted.find(if rest.starts_with("['") { "']" } else { "\"]" })?;
            steps.push(Step::Name(quoted[..end].to_owned()));
            rest = &quoted[end + 2..];
        } else {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(Step::Index(index.parse().ok()?));
            rest = after;
        }
    }
    (rest.is_empty() && !steps.is_empty()).then_some(steps)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn text(calls: &[&str]) -> Option<String> {
        let mut args = PartialArgs::default();
        for call in calls {
            args.add(&Value::parse(call).unwrap());
        }
        args.text()
    }

    #[test]
    fn pieces_add_up_to_an_object() {
        let found = text(&[
            r#"{"partialArgs":[{"jsonPath":"$.city","stringValue":"Ro","willContinue":true}]}"#,
            r#"{"partialArgs":[{"jsonPath":"$.city","stringValue":"me"},
                {"jsonPath":"$.days[0].at","numberValue":1.5},{"jsonPath":"$.days[1]","boolValue":true},
                {"jsonPath":"$['a.b']","nullValue":"NULL_VALUE"}]}"#,
        ]);
        assert_eq!(found.unwrap(), r#"{"city":"Rome","days":[{"at":1.5},true],"a.b":null}"#);
    }

    #[test]
    fn nonsense_does_no_harm() {
        for path in ["", "$", "x", "$.a[", "$.a[99999999999999999999]", "$['a", "$.é[é]"] {
            let call = format!(r#"{{"partialArgs":[{{"jsonPath":"{path}","stringValue":"x"}}]}}"#);
            assert_eq!(text(&[&call]), None, "{path}");
        }
        let far = r#"{"partialArgs":[{"jsonPath":"$.a[4000000000]","stringValue":"x"}]}"#;
        assert_eq!(text(&[far]).unwrap(), r#"{"a":["x"]}"#);
    }
}
