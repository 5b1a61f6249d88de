//! Who calls: the key that a client shows, and whether it may be used from there and for this.

use super::Shop;
use crate::error::{Class, Error, Result};
use crate::keys::{self, Shape};
use crate::plan::{Key, Plan};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

impl Shop {
    /// Who shows this key, from this address. The keys of the settings come before those of the directory.
    ///
    /// # Errors
    /// `Unauthenticated`, without a word of the key; `PermissionDenied` from where the key may not be used.
    pub fn authenticate(
        &self,
        plan: &Plan,
        shown: Option<&[u8]>,
        address: Option<IpAddr>,
    ) -> Result<Arc<Key>> {
        let refuse = |message: &str| Error::new(Class::Unauthenticated, message);
        let Some(shown) = shown.filter(|key| !key.is_empty()) else {
            return Err(refuse("No API key was given: send it as `Authorization: Bearer KEY`."));
        };
        if keys::shape(shown) == Shape::Mistyped {
            return Err(refuse("The API key is mistyped or cut: its checksum does not fit."));
        }
        let (digest, now) = (plan.digester.digest(shown), unix_microseconds());
        let found = match plan.key(&digest) {
            Some(key) => Some(key.check_standing(&digest, now).map(|()| key.clone())),
            None => self.directory.key_in_standing(&digest, now),
        };
        let key = match found {
            Some(found) => found.map_err(|why| refuse(&why))?,
            None if is_token(shown) => self.principal(plan, shown, now)?,
            None => return Err(refuse("The API key is not known here.")),
        };
        if !key.is_open_to(address) {
            let message = "The API key may not be used from this address.";
            return Err(Error::new(Class::PermissionDenied, message));
        }
        Ok(key)
    }
}

/// Whether what is shown looks like a signed token: three parts with dots between them.
fn is_token(shown: &[u8]) -> bool {
    shown.iter().filter(|byte| **byte == b'.').count() == 2
}

/// Refuses an endpoint that the key may not use.
///
/// # Errors
/// `PermissionDenied`.
pub fn check_endpoint(key: &Key, endpoint: &str) -> Result<()> {
    if key.may_call(endpoint) {
        return Ok(());
    }
    let message = format!("The key may not use this endpoint (`{endpoint}`).");
    Err(Error::new(Class::PermissionDenied, message))
}

/// Refuses a deployment in a region in which the key may not be served.
///
/// # Errors
/// `RegionDenied`.
pub fn check_region(key: &Key, region: Option<&str>) -> Result<()> {
    if key.may_be_served_in(region) {
        return Ok(());
    }
    let message = "What was asked for is in a region that the key may not use.";
    Err(Error::new(Class::RegionDenied, message))
}

/// The time, in Unix microseconds.
fn unix_microseconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}
