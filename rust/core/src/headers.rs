//! A list of headers as they came: one buffer and where in it names and values lie.

use bytes::Bytes;
use std::ops::Range;

/// Headers in their order; names compare without case.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    text: Bytes,
    fields: Vec<(Range<usize>, Range<usize>)>,
}

impl Headers {
    /// The headers that lie at `fields` (name, value) in `text`.
    #[must_use]
    pub fn new(text: Bytes, fields: Vec<(Range<usize>, Range<usize>)>) -> Self {
        Headers { text, fields }
    }

    /// The headers of a reply that we have written ourselves.
    #[must_use]
    pub fn of_type(kind: &str) -> Self {
        const NAME: &str = "content-type";
        let text = Bytes::from([NAME, kind].concat());
        let fields = vec![(0..NAME.len(), NAME.len()..text.len())];
        Headers { text, fields }
    }

    /// The headers for a body of ours in the place of the one that they came with.
    #[must_use]
    pub fn translated(&self, kind: &str) -> Self {
        const NAME: &str = "content-type";
        let describes_body = |name: &Range<usize>| {
            let start = self.text[name.clone()].get(.."content-".len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(b"content-"))
        };
        let text = Bytes::from([&self.text[..], NAME.as_bytes(), kind.as_bytes()].concat());
        let (name, value) = (self.text.len(), self.text.len() + NAME.len());
        let mut fields: Vec<_> =
            self.fields.iter().filter(|(name, _)| !describes_body(name)).cloned().collect();
        fields.push((name..value, value..text.len()));
        Headers { text, fields }
    }

    /// A copy of the headers of an HTTP/2 reply.
    #[must_use]
    pub fn from_map(map: &http::HeaderMap) -> Self {
        let mut text = Vec::new();
        let mut push = |part: &[u8]| {
            let start = text.len();
            text.extend_from_slice(part);
            start..text.len()
        };
        let fields = map
            .iter()
            .map(|(name, value)| (push(name.as_str().as_bytes()), push(value.as_bytes())));
        let fields = fields.collect();
        Headers { text: text.into(), fields }
    }

    /// The first value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.fields.iter().find(|(key, _)| {
            key.len() == name.len() && self.text[key.clone()].eq_ignore_ascii_case(name.as_bytes())
        });
        found.map(|(_, value)| &self.text[value.clone()])
    }

    /// As [`Headers::get`], for values that are text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// Whether the content is of that media type (given in lower case), whatever its parameters.
    #[must_use]
    pub fn is_of_type(&self, kind: &str) -> bool {
        let value = self.get("content-type").unwrap_or_default();
        value.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind.as_bytes()))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields
            .iter()
            .map(|(name, value)| (&self.text[name.clone()], &self.text[value.clone()]))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_compare_without_case_and_the_first_value_counts() {
        let headers = Headers::new(Bytes::from_static(b"Aa1aa2"), vec![(0..2, 2..3), (3..5, 5..6)]);
        assert_eq!(headers.get("aA"), Some(&b"1"[..]));
        assert_eq!(headers.get("a"), None);
        assert_eq!(headers.iter().count(), 2);
    }

    #[test]
    fn what_described_the_body_goes_with_it_and_the_rest_stays() {
        let map = http::HeaderMap::from_iter([
            ("content-type".parse().unwrap(), "text/plain".parse().unwrap()),
            ("content-encoding".parse().unwrap(), "br".parse().unwrap()),
            ("request-id".parse().unwrap(), "req_1".parse().unwrap()),
        ]);
        let ours = Headers::from_map(&map).translated("application/json");
        assert_eq!(ours.text("content-type"), Some("application/json"));
        assert_eq!(ours.text("content-encoding"), None);
        assert_eq!(ours.text("request-id"), Some("req_1"));
    }

    #[test]
    fn an_http2_map_keeps_its_values() {
        let map = http::HeaderMap::from_iter([("a".parse().unwrap(), "1".parse().unwrap())]);
        assert_eq!(Headers::from_map(&map).text("A"), Some("1"));
    }
}
