//! What is kept of a response, and how it is written.

use crate::responses::account::Account;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// One response, as far as it has to be found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it came from.
    pub origin: Origin,
    /// What was asked and answered; `None` if the upstream keeps it itself.
    pub content: Option<Content>,
}

/// Where a response came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// When it was kept, in Unix seconds.
    pub kept_at: u64,
    /// The public model name.
    pub group: String,
    /// The id of the deployment that made it.
    pub deployment: String,
    /// The model's name there.
    pub model: String,
    /// Where it is, if the upstream keeps it.
    pub account: Option<Account>,
}

/// A response with what it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The `input` of the request, with what it went on from, as JSON; empty if it had none.
    pub input: Bytes,
    /// The response object, as JSON.
    pub response: Bytes,
}

impl Content {
    /// The request that [`llmgw_formats::openai_responses::stored`] reads items from.
    #[must_use]
    pub fn request(&self) -> Vec<u8> {
        match &self.input[..] {
            [] => b"{}".to_vec(),
            input => [b"{\"input\":", input, b"}"].concat(),
        }
    }

    /// Bytes of both.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.input.len() + self.response.len()
    }
}

/// What stands before the content: its own length is written before it.
#[derive(Serialize, Deserialize)]
struct Head {
    origin: Origin,
    /// Bytes of the input, if there is content.
    input: Option<usize>,
}

/// Bytes of the head's length.
const LENGTH: usize = 4;

impl Entry {
    /// The entry as bytes.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let input = self.content.as_ref().map(|content| content.input.len());
        let head = serde_json::to_vec(&Head { origin: self.origin.clone(), input }).ok()?;
        let length = u32::try_from(head.len()).ok()?;
        let mut bytes = [&length.to_le_bytes()[..], &head].concat();
        if let Some(content) = &self.content {
            bytes.reserve_exact(content.weight());
            bytes.extend_from_slice(&content.input);
            bytes.extend_from_slice(&content.response);
        }
        Some(bytes)
    }

    /// Reads what [`Entry::encode`] wrote.
    #[must_use]
    pub fn decode(bytes: Vec<u8>) -> Option<Self> {
        let length = u32::from_le_bytes(bytes.get(..LENGTH)?.try_into().ok()?);
        let start = LENGTH.checked_add(usize::try_from(length).ok()?)?;
        let Head { origin, input } = serde_json::from_slice(bytes.get(LENGTH..start)?).ok()?;
        let mut rest = Bytes::from(bytes).split_off(start);
        let content = match input {
            None => None,
            Some(input) if input <= rest.len() => {
                let input = rest.split_to(input);
                Some(Content { input, response: rest })
            }
            Some(_) => return None,
        };
        Some(Entry { origin, content })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry(content: Option<Content>) -> Entry {
        let origin = Origin {
            kept_at: 1_764_000_000,
            group: "chat".into(),
            deployment: "one".into(),
            model: "routed".into(),
            account: Some(Account::new("http://a/v1/responses", &[])),
        };
        Entry { origin, content }
    }

    fn content(input: &'static str, response: &'static str) -> Option<Content> {
        Some(Content { input: Bytes::from(input), response: Bytes::from(response) })
    }

    #[test]
    fn an_entry_reads_as_it_was_written() {
        for content in [None, content("\"hi\"", "{\"id\":\"resp_1\"}"), content("", "{}")] {
            let entry = entry(content);
            assert_eq!(Entry::decode(entry.encode().unwrap()), Some(entry));
        }
    }

    #[test]
    fn bytes_that_are_no_entry_are_none() {
        let bytes = entry(content("[1]", "{}")).encode().unwrap();
        for length in 0..bytes.len() - 2 {
            assert_eq!(Entry::decode(bytes[..length].to_vec()), None, "{length} bytes");
        }
        assert_eq!(Entry::decode(vec![255; 100]), None);
    }

    #[test]
    fn a_request_without_input_is_an_empty_object() {
        assert_eq!(content("", "{}").unwrap().request(), b"{}");
        assert_eq!(content("[1]", "{}").unwrap().request(), b"{\"input\":[1]}");
    }
}
