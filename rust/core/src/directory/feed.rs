//! One line of the directory's file: what is put, what is gone, or that something is whole.
//!
//! A line with a field that is not known is refused rather than read without it: the field may have been
//! meant to forbid something.

use crate::keys::from_hex;
use crate::plan::{Grants, NodeKind, Priority, Shown};
use crate::snapshot::{BudgetRule, LimitRule};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What the ids of keys begin with.
pub(super) const KEY: &str = "key_";
/// Most characters of an id.
const LONGEST_ID: usize = 64;

/// What a line says.
pub(super) enum Line<'a> {
    Key(Box<KeyLine<'a>>),
    Node(Box<NodeLine<'a>>),
    Jwks(JwksLine<'a>),
    /// This one is gone.
    Drop(Cow<'a, str>),
    /// What was said so far is whole.
    End(u64),
}

/// What tells the kind of a line.
#[derive(Deserialize)]
struct Probe<'a> {
    put: Option<&'a str>,
    #[serde(borrow)]
    drop: Option<Cow<'a, str>>,
    end: Option<u64>,
}

/// A key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyLine<'a> {
    #[serde(rename = "put")]
    _put: IgnoredAny,
    pub(super) id: &'a str,
    #[serde(borrow)]
    pub(super) alias: Cow<'a, str>,
    #[serde(borrow)]
    digests: Vec<(&'a str, Option<u64>)>,
    #[serde(default)]
    pub(super) blocked: bool,
    pub(super) expires_at: Option<u64>,
    pub(super) organisation: Option<&'a str>,
    pub(super) team: Option<&'a str>,
    pub(super) project: Option<&'a str>,
    pub(super) user: Option<&'a str>,
    pub(super) service_account: Option<&'a str>,
    #[serde(default)]
    pub(super) admin: bool,
    models: Option<Vec<String>>,
    #[serde(default)]
    model_map: BTreeMap<String, String>,
    endpoints: Option<Vec<String>>,
    pass_through: Option<Vec<String>>,
    networks: Option<Vec<String>>,
    regions: Option<Vec<String>>,
    /// Nobody on the path of a request reads these two yet.
    #[serde(default, rename = "guardrails")]
    _guardrails: IgnoredAny,
    #[serde(default, rename = "metadata")]
    _metadata: IgnoredAny,
    #[serde(default)]
    tags: Vec<String>,
    priority: Option<Priority>,
    certificates: Option<Vec<String>>,
    #[serde(default)]
    pub(super) limits: Vec<LimitRule>,
    #[serde(default)]
    pub(super) budgets: Vec<BudgetRule>,
}

impl KeyLine<'_> {
    /// What the key allows, taken out of the line.
    pub(super) fn take_grants(&mut self) -> Grants {
        Grants {
            models: self.models.take(),
            model_map: std::mem::take(&mut self.model_map),
            endpoints: self.endpoints.take(),
            pass_through: self.pass_through.take(),
            networks: self.networks.take(),
            regions: self.regions.take(),
            tags: std::mem::take(&mut self.tags),
            priority: self.priority,
            certificates: self.certificates.take(),
        }
    }

    /// What clients show of it.
    pub(super) fn shown(&self) -> Result<Vec<Shown>, String> {
        let one = |(hex, until): &(&str, Option<u64>)| {
            let digest = from_hex(hex).ok_or("a digest is not 32 bytes of hex")?;
            Ok(Shown { digest, until: until.unwrap_or(u64::MAX) })
        };
        self.digests.iter().map(one).collect()
    }
}

/// A node.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeLine<'a> {
    #[serde(rename = "put")]
    _put: IgnoredAny,
    pub(super) id: &'a str,
    pub(super) kind: NodeKind,
    #[serde(borrow)]
    pub(super) external_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    pub(super) parent: Option<&'a str>,
    #[serde(default)]
    pub(super) blocked: bool,
    models: Option<Vec<String>>,
    endpoints: Option<Vec<String>>,
    networks: Option<Vec<String>>,
    regions: Option<Vec<String>>,
    /// Nobody on the path of a request reads these two yet.
    #[serde(default, rename = "guardrails")]
    _guardrails: IgnoredAny,
    #[serde(default, rename = "metadata")]
    _metadata: IgnoredAny,
    priority: Option<Priority>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    pub(super) limits: Vec<LimitRule>,
    #[serde(default)]
    pub(super) budgets: Vec<BudgetRule>,
    #[serde(default)]
    pub(super) margin_ppm: i64,
}

impl NodeLine<'_> {
    /// What the node allows, taken out of the line.
    pub(super) fn take_grants(&mut self) -> Grants {
        Grants {
            models: self.models.take(),
            endpoints: self.endpoints.take(),
            networks: self.networks.take(),
            regions: self.regions.take(),
            tags: std::mem::take(&mut self.tags),
            priority: self.priority,
            ..Grants::default()
        }
    }
}

/// The public keys of an issuer of tokens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JwksLine<'a> {
    #[serde(rename = "put")]
    _put: IgnoredAny,
    #[serde(borrow)]
    pub(super) issuer: Cow<'a, str>,
    pub(super) keys: serde_json::Value,
    pub(super) at: u64,
}

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, without any of what it says.
    pub(super) fn read(text: &'a [u8]) -> Result<Self, String> {
        let probe: Probe<'a> = parse(text)?;
        match (probe.put, probe.drop, probe.end) {
            (Some("key"), None, None) => parse(text).map(|line| Line::Key(Box::new(line))),
            (Some("node"), None, None) => parse(text).map(|line| Line::Node(Box::new(line))),
            (Some("jwks"), None, None) => parse(text).map(Line::Jwks),
            (None, Some(id), None) => Ok(Line::Drop(id)),
            (None, None, Some(sequence)) => Ok(Line::End(sequence)),
            _ => Err("it neither puts, nor drops, nor ends anything that is known".into()),
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| {
        let what = if error.is_data() { "a field is not what it should be" } else { "no JSON" };
        format!("{what} (column {})", error.column())
    })
}

/// Whether a text is an id.
pub(super) fn is_id(text: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(safe)
}
