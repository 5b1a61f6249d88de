//! What a key or a node allows: compiled once, and shared by all that allow the same.

use super::endpoints;
use super::pattern::Patterns;
use crate::certificate;
use crate::egress::Network;
use crate::model_map::ModelMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Why a word for a certificate is none.
const NO_CERTIFICATE: &str = "a certificate is named by 64 digits of hex, `uri:…` or `dns:…`";

/// What a key or a node allows, as it is written. `None` allows everything.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Grants {
    /// Public model names and patterns.
    pub models: Option<Vec<String>>,
    /// Names that mean other models.
    pub model_map: BTreeMap<String, String>,
    /// Names of endpoints and patterns; see [`endpoints::allow`].
    pub endpoints: Option<Vec<String>>,
    /// Names of pass-throughs, `*` for all; `None`: all, unless `models` says which models.
    pub pass_through: Option<Vec<String>>,
    /// Networks (CIDR) that clients are in.
    pub networks: Option<Vec<String>>,
    /// Regions and patterns that deployments are in.
    pub regions: Option<Vec<String>>,
    /// What requests are filed under.
    pub tags: Vec<String>,
    /// Which requests go first.
    pub priority: Option<Priority>,
    /// Certificates that clients show: SHA-256 in hex, `uri:…` or `dns:…`.
    pub certificates: Option<Vec<String>>,
}

/// Which requests go first where not all can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
}

/// What a key or a node allows, ready to be asked.
#[derive(Debug, Default)]
pub struct Policy {
    /// Tells it from every other one, in this and in other processes.
    pub mark: u64,
    /// The models.
    pub models: Option<Patterns>,
    /// Names that mean other models.
    pub map: ModelMap,
    endpoints: Option<Patterns>,
    /// The pass-throughs.
    pub pass_through: Option<Patterns>,
    networks: Option<Box<[Network]>>,
    regions: Option<Patterns>,
    /// What requests are filed under.
    pub tags: Box<[Arc<str>]>,
    /// Which requests go first, if it says.
    pub priority: Option<Priority>,
    /// Words for certificates that clients show; see [`certificate::word`].
    pub certificates: Option<Box<[Box<str>]>>,
}

impl Policy {
    /// Compiles what is written.
    ///
    /// # Errors
    /// What of it is none, in one sentence.
    pub fn new(grants: Grants) -> Result<Self, String> {
        let mark = mark_of(&grants);
        let list = |texts: Option<Vec<String>>| texts.map(|texts| Patterns::new(&texts));
        let networks = grants.networks.map(|texts| texts.iter().map(|one| network(one)).collect());
        let certificates = grants.certificates.map(|texts| {
            let word = |text: &String| certificate::word(text).ok_or(NO_CERTIFICATE);
            texts.iter().map(word).collect()
        });
        Ok(Policy {
            mark,
            models: list(grants.models),
            map: ModelMap::new(grants.model_map),
            endpoints: list(grants.endpoints),
            pass_through: list(grants.pass_through),
            networks: networks.transpose()?,
            regions: list(grants.regions),
            tags: grants.tags.iter().map(|tag| tag.as_str().into()).collect(),
            priority: grants.priority,
            certificates: certificates.transpose()?,
        })
    }

    /// Whether the public model `name` is allowed.
    #[must_use]
    pub fn allows_model(&self, name: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.allow(name))
    }

    /// Whether the endpoint of this name is allowed.
    #[must_use]
    pub fn allows_endpoint(&self, name: &str) -> bool {
        self.endpoints.as_ref().is_none_or(|list| endpoints::allow(list, name))
    }

    /// Whether clients at this address are. One whose address is not known is in no network.
    #[must_use]
    pub fn allows_address(&self, address: Option<IpAddr>) -> bool {
        let Some(networks) = &self.networks else { return true };
        let address = address.map(|one| one.to_canonical());
        address.is_some_and(|one| networks.iter().any(|network| network.contains(one)))
    }

    /// Whether a deployment in this region is. One whose region is not known is in none.
    #[must_use]
    pub fn allows_region(&self, region: Option<&str>) -> bool {
        let Some(regions) = &self.regions else { return true };
        region.is_some_and(|region| regions.allow(region))
    }

    /// Whether there are regions that are not allowed.
    #[must_use]
    pub fn has_regions(&self) -> bool {
        self.regions.is_some()
    }
}

fn network(text: &str) -> Result<Network, String> {
    Network::parse(text).ok_or_else(|| "a network is not in CIDR notation".to_owned())
}

/// A digest of what is written: the same for the same, wherever and whenever it is read.
#[must_use]
pub fn mark_of(grants: &Grants) -> u64 {
    // Texts and lists of texts can always be written.
    let text = serde_json::to_vec(grants).unwrap_or_default();
    let digest = blake3::hash(&text);
    digest.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
