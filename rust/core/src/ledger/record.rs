//! The records, as they lie in the journal: one JSON object each, told apart by `t`.
//!
//! Money is in nano-dollars, times are in microseconds of Unix time unless the name says otherwise.

use super::id::Id;
use crate::price::Served;
use crate::usage::{Service, Usage};
use serde::ser::{SerializeMap, SerializeTuple};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::sync::Arc;

/// One record.
#[derive(Serialize)]
#[serde(tag = "t", rename_all = "lowercase")]
pub(super) enum Record<'a> {
    Reserve(&'a Reserve<'a>),
    Settle(&'a Settle<'a>),
    Void(&'a Void),
    Call(&'a Told<'a>),
}

/// Whom a request is charged to.
#[derive(Debug, Clone, Serialize)]
pub struct Identity<'a> {
    /// The key's id: of a key of the settings `file:ALIAS`, of the master key `master`.
    #[serde(rename = "key")]
    pub id: &'a str,
    /// Its name.
    pub alias: &'a str,
    /// The organisation that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<&'a str>,
    /// The team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<&'a str>,
    /// The project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<&'a str>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<&'a str>,
    /// The service account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<&'a str>,
    /// What its spend is sorted by besides.
    #[serde(serialize_with = "texts")]
    pub tags: Vec<Arc<str>>,
}

/// Money of a budget that is held for an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The budget's place.
    pub slot: u64,
    /// The window it is held in.
    pub window: u64,
    /// Nano-dollars.
    pub nano: u64,
}

impl Serialize for Hold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_tuple(3)?;
        parts.serialize_element(&format_args!("{:016x}", self.slot))?;
        parts.serialize_element(&self.window)?;
        parts.serialize_element(&self.nano)?;
        parts.end()
    }
}

/// What is asked of whom, and by whom.
#[derive(Serialize)]
pub struct Asked<'a> {
    /// The request's id.
    pub request: &'a str,
    /// The how-manieth attempt of the request it is, from 1.
    pub attempt: u32,
    /// Whom it is charged to.
    #[serde(flatten)]
    pub who: Identity<'a>,
    /// For whom the client says it asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_user: Option<Cow<'a, str>>,
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// The model group.
    pub group: &'a str,
    /// The client's word for the model.
    pub model: &'a str,
    /// The deployment's id.
    pub deployment: &'a str,
    /// Its provider.
    pub provider: &'a str,
    /// The model as it is called there.
    pub routed: &'a str,
    /// Input tokens, counted.
    pub input: u64,
    /// Output tokens, at most.
    pub output: u64,
    /// The reply is to come as a stream.
    pub stream: bool,
}

/// An attempt is about to be sent.
#[derive(Serialize)]
pub(super) struct Reserve<'a> {
    pub(super) id: Id,
    pub(super) at: u64,
    #[serde(flatten)]
    pub(super) asked: &'a Asked<'a>,
    /// What it may cost at most.
    pub(super) held: u64,
    pub(super) holds: &'a [Hold],
}

/// How a reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It came whole.
    Whole,
    /// It came as a stream, to its end.
    Stream,
    /// It did not come, or broke off.
    Cut,
    /// Its client did not wait for it.
    ClientGone,
}

/// What an attempt cost.
#[derive(Serialize)]
pub(super) struct Settle<'a> {
    pub(super) id: Id,
    pub(super) at: u64,
    pub(super) status: u16,
    pub(super) how: How,
    pub(super) cost: u64,
    pub(super) price: &'static str,
    /// Where the price is from.
    pub(super) source: &'a str,
    #[serde(serialize_with = "usage")]
    pub(super) usage: Usage,
    #[serde(serialize_with = "served")]
    pub(super) served: Served,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) upstream_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reported: Option<&'a str>,
    /// Milliseconds from the reserve.
    pub(super) ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_ms: Option<u64>,
}

/// Why nothing was charged for an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Something of it, or all, stayed here.
    NotSent,
    /// There was no connection.
    Unreachable,
    /// The upstream said no.
    Refused,
    /// What came was no reply.
    Failed,
    /// The client left before it was sent.
    ClientGone,
}

/// An attempt for which nothing was charged.
#[derive(Serialize)]
pub(super) struct Void {
    pub(super) id: Id,
    pub(super) at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    pub(super) why: Why,
}

/// What became of a request without an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It was answered from the cache.
    Hit,
    /// A guardrail refused it.
    Blocked,
    /// A limit did.
    Limited,
    /// A budget did.
    OverBudget,
    /// Its key may not do this.
    Denied,
}

/// A request that led to no attempt.
#[derive(Serialize)]
pub struct Call<'a> {
    /// The request's id.
    pub request: &'a str,
    /// Whose it is.
    #[serde(flatten)]
    pub who: Identity<'a>,
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// The model group, if it got that far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<&'a str>,
    /// The client's word for the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<&'a str>,
    /// What became of it.
    pub what: What,
    /// The status that the client got.
    pub status: u16,
    /// The error's class, if it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<&'static str>,
    /// Nano-dollars that it would have cost without the cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved: Option<u64>,
}

/// The same with its id.
#[derive(Serialize)]
pub(super) struct Told<'a> {
    pub(super) id: Id,
    pub(super) at: u64,
    #[serde(flatten)]
    pub(super) call: &'a Call<'a>,
}

/// The word for a tier that is not the usual one.
pub(super) fn tier(service: Service) -> Option<&'static str> {
    match service {
        Service::Standard => None,
        Service::Batch => Some("batch"),
        Service::Flex => Some("flex"),
        Service::Priority => Some("priority"),
        Service::Other => Some("other"),
    }
}

/// What of a usage is not nothing.
fn usage<S: Serializer>(usage: &Usage, serializer: S) -> Result<S::Ok, S::Error> {
    let parts = [
        ("input", usage.input),
        ("output", usage.output),
        ("cache_read", usage.cache_read),
        ("cache_write", usage.cache_write),
        ("cache_write_1h", usage.cache_write_1h),
        ("reasoning", usage.reasoning),
        ("audio_input", usage.audio_input),
        ("audio_output", usage.audio_output),
        ("audio_cached", usage.audio_cached),
        ("image_input", usage.image_input),
        ("image_output", usage.image_output),
    ];
    let mut map = serializer.serialize_map(None)?;
    for (name, count) in parts.iter().filter(|(_, count)| *count > 0) {
        map.serialize_entry(name, count)?;
    }
    map.end()
}

/// What is known of what was served beside tokens.
fn served<S: Serializer>(served: &Served, serializer: S) -> Result<S::Ok, S::Error> {
    let parts = [
        ("images", served.images),
        ("images_seen", served.images_seen),
        ("milliseconds", served.milliseconds),
        ("milliseconds_heard", served.milliseconds_heard),
        ("characters", served.characters),
        ("pages", served.pages),
        ("queries", served.queries),
    ];
    let mut map = serializer.serialize_map(None)?;
    for (name, count) in parts {
        if let Some(count) = count {
            map.serialize_entry(name, &count)?;
        }
    }
    map.end()
}

fn texts<S: Serializer>(texts: &[Arc<str>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(texts.iter().map(|text| &**text))
}
