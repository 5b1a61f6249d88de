//! Admission of a realtime session: its events come later, so the head is all there is to judge.

use super::{Shop, lead};
use crate::call::{Call, Fields, Keep, Ticket};
use crate::caller::Caller;
use crate::error::{Class, Error, Result};
use crate::limiter::monotonic_ns;
use crate::plan::{Key, Plan};
use crate::responses::previous::Past;
use crate::snapshot::{Operation, PiiMode};
use bytes::Bytes;
use std::sync::Arc;

impl Shop {
    /// Lets a session in, or says why not. It takes one request from the limits, and no tokens yet.
    ///
    /// # Errors
    /// `ModelNotFound`, `PermissionDenied`, `NotSupported` where personal data must not leave, `RateLimited`.
    pub fn admit_session(
        &self,
        plan: Arc<Plan>,
        key: Arc<Key>,
        caller: Caller,
        model: &str,
    ) -> Result<Call> {
        let (_, group, matched) = lead(&plan, &key, model)?;
        if plan.pii == Some(PiiMode::Block) {
            // Sound cannot be scanned, and what is said in pieces not before it is said.
            let message = "Realtime sessions are refused here: personal data may not leave, and what is said \
                           in a session cannot be scanned (`pii: {mode: block}`).";
            return Err(Error::new(Class::NotSupported, message));
        }
        let limits = self.reserve(&key, 0)?;
        let ticket = Ticket { plan, key, caller, operation: Operation::Realtime, group, limits };
        Ok(Call {
            ticket,
            asked: model.to_owned(),
            matched,
            body: Bytes::new(),
            fields: Fields::none(),
            input_tokens: 0,
            reserved: 0,
            cache_key: None,
            path_model: None,
            array: false,
            strict: false,
            past: Past::None,
            files_at: None,
            keep: Keep::No,
        })
    }

    /// Whether the key has tokens left, or what it owes has been paid back by time.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn check_tokens(&self, key: &Key) -> Result<()> {
        let Some((id, limit)) = &key.tokens else { return Ok(()) };
        let decision = self.limiter.peek(*id, limit, monotonic_ns());
        if decision.allowed {
            return Ok(());
        }
        let message =
            format!("The key's limit of {} tokens per minute is used up.", decision.limit);
        let seconds = decision.retry_after.as_secs_f64();
        Err(Error::new(Class::RateLimited, message).with_retry_after(seconds))
    }
}
