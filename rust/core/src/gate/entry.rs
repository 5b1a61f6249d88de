//! Who calls: the key that a client shows, and whether it may be used from there and for this.

use super::Shop;
use crate::certificate::Sender;
use crate::error::{Class, Error, Result};
use crate::keys::{self, Shape};
use crate::plan::{Key, Plan};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

impl Shop {
    /// Who shows this key, this certificate, or both, from this address. The keys of the settings come before those
    /// of the directory.
    ///
    /// # Errors
    /// `Unauthenticated`, without a word of the key; `PermissionDenied` from where the key may not be used;
    /// `InvalidRequest` for a key beside another's certificate.
    pub fn authenticate(
        &self,
        plan: &Plan,
        shown: Option<&[u8]>,
        sender: impl Into<Sender>,
    ) -> Result<Arc<Key>> {
        let Sender { address, certificate } = sender.into();
        let (now, certificate) = (unix_microseconds(), certificate.as_deref());
        let shown = shown.filter(|key| !key.is_empty());
        let key = match (shown, certificate) {
            (Some(shown), None) => self.shown(plan, shown, now)?,
            (Some(shown), Some(certificate)) => {
                let key = self.shown(plan, shown, now)?;
                self.check_together(plan, &key, certificate)?;
                key
            }
            (None, Some(certificate)) => {
                let unknown = "The client certificate stands for no API key here.";
                let refused = || Error::new(Class::Unauthenticated, unknown);
                self.certified(plan, certificate, now)?.ok_or_else(refused)?
            }
            (None, None) => {
                let message = "No API key was given: send it as `Authorization: Bearer KEY`.";
                return Err(Error::new(Class::Unauthenticated, message));
            }
        };
        if !key.is_open_to(address) {
            let message = "The API key may not be used from this address.";
            return Err(Error::new(Class::PermissionDenied, message));
        }
        Ok(key)
    }

    /// Whose key or token this is, at this time (Unix microseconds).
    fn shown(&self, plan: &Plan, shown: &[u8], now: u64) -> Result<Arc<Key>> {
        let refuse = |message: &str| Error::new(Class::Unauthenticated, message);
        if keys::shape(shown) == Shape::Mistyped {
            return Err(refuse("The API key is mistyped or cut: its checksum does not fit."));
        }
        let digest = plan.digester.digest(shown);
        let found = match plan.key(&digest) {
            Some(key) => Some(key.check_standing(&digest, now).map(|()| key.clone())),
            None => self.directory.key_in_standing(&digest, now),
        };
        match found {
            Some(found) => found.map_err(|why| refuse(&why)),
            None if is_token(shown) => self.principal(plan, shown, now),
            None => Err(refuse("The API key is not known here.")),
        }
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
