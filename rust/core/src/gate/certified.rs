//! Whom a client's certificate stands for, alone or beside a key.

use super::Shop;
use crate::certificate::Certificate;
use crate::error::{Class, Error, Result};
use crate::plan::{Key, Plan};
use std::sync::Arc;

impl Shop {
    /// The key that a certificate stands for, if there is one, at this time (Unix microseconds).
    ///
    /// # Errors
    /// `Unauthenticated` if it stands for several, or for one that may not be used.
    pub(super) fn certified(
        &self,
        plan: &Plan,
        certificate: &Certificate,
        now: u64,
    ) -> Result<Option<Arc<Key>>> {
        let mut found: Vec<Arc<Key>> = Vec::new();
        for word in certificate.words() {
            let more = plan.certified(word).into_iter().chain(self.directory.certified(word));
            for key in more {
                if !found.iter().any(|one| one.id() == key.id()) {
                    found.push(key);
                }
            }
            if !found.is_empty() {
                break;
            }
        }
        if found.len() > 1 {
            let message =
                "The client certificate stands for several keys: show the one that is meant.";
            return Err(Error::new(Class::Unauthenticated, message));
        }
        let Some(key) = found.pop() else { return Ok(None) };
        // No digest is shown of it.
        key.check_standing(&[0; 32], now).map_err(|why| Error::new(Class::Unauthenticated, why))?;
        Ok(Some(key))
    }

    /// Refuses a key beside a certificate that is another's.
    ///
    /// # Errors
    /// `InvalidRequest` if the two do not belong together.
    pub(super) fn check_together(
        &self,
        plan: &Plan,
        key: &Key,
        certificate: &Certificate,
    ) -> Result<()> {
        let fits = match &key.policy.certificates {
            Some(listed) => certificate.is_among(listed),
            None => !certificate.words().iter().any(|word| {
                !plan.certified(word).is_empty() || !self.directory.certified(word).is_empty()
            }),
        };
        if fits {
            return Ok(());
        }
        let message = "The API key and the client certificate do not belong together.";
        Err(Error::new(Class::InvalidRequest, message))
    }
}
