//! The connections to upstreams, kept over reloads.

use crate::dial::{self, Address};
use crate::egress::{Egress, Network};
use crate::fetch::Fetcher;
use crate::snapshot;
use crate::upstream::Origin;
use http::Uri;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What an origin's connections are told apart by: scheme and authority, and their connect deadline.
pub(super) type PoolKey = (String, Duration);

/// The origins, kept over reloads so that warm connections stay.
#[derive(Clone)]
pub(super) struct Pools {
    pub(super) origins: BTreeMap<PoolKey, Arc<Origin>>,
    policy: snapshot::EgressPolicy,
    egress: Arc<Egress>,
    tls: Arc<rustls::ClientConfig>,
}

impl Pools {
    /// New pools for `policy`, taking over those of `before` if the policy is the same.
    pub(super) fn for_policy(
        policy: &snapshot::EgressPolicy,
        before: Option<&Pools>,
    ) -> Result<Self, String> {
        if let Some(pools) = before.filter(|pools| pools.policy == *policy) {
            return Ok(pools.clone());
        }
        Ok(Pools {
            origins: BTreeMap::new(),
            policy: policy.clone(),
            egress: Arc::new(Egress::new(networks(policy)?)),
            tls: dial::tls_config(policy.ca_file.as_deref())?,
        })
    }

    /// Who fetches media, under the same rule and with the same trust.
    pub(super) fn fetcher(&self, policy: &snapshot::MediaPolicy) -> Result<Fetcher, String> {
        Fetcher::new(policy, networks(&self.policy)?, self.tls.clone().into())
    }

    /// The origin of a URL, with what its connections are told apart by; `None` if it is none of HTTP.
    pub(super) fn origin(
        &mut self,
        url: &Uri,
        connect: Duration,
    ) -> Option<(PoolKey, Arc<Origin>)> {
        let secure = match url.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = url.authority()?;
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let key = (format!("{}://{authority}", url.scheme_str()?), connect);
        let (egress, tls) = (self.egress.clone(), self.tls.clone());
        let open = || {
            let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
            let tls = secure.then(|| tls.into());
            let address = Address::Network { host: host.to_owned(), port, tls, egress };
            Origin::new(address, authority.to_string(), connect)
        };
        let origin = self.origins.entry(key.clone()).or_insert_with(open).clone();
        Some((key, origin))
    }

    /// Lets go of the connections that no deployment uses any more.
    pub(super) fn keep_only(&mut self, used: &[PoolKey]) {
        self.origins.retain(|key, _| used.contains(key));
    }
}

fn networks(policy: &snapshot::EgressPolicy) -> Result<Vec<Network>, String> {
    let parse =
        |text: &String| Network::parse(text).ok_or_else(|| format!("{text} is not a network"));
    policy.allow_networks.iter().map(parse).collect()
}
