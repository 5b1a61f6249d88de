//! Admission of a realtime session: its events come later, so the head is all there is to judge.

use super::{Shop, lead};
use crate::call::{Allowed, Call, Fields, Keep, Ticket};
use crate::caller::Caller;
use crate::error::{Class, Error, Result};
use crate::limits::{Asked, Held};
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
        let (operation, downgraded, held) = (Operation::Realtime, None, Held::default());
        let mut ticket = Ticket { plan, key, caller, operation, group, downgraded, held };
        // What will be said nobody knows: it is charged as it is told.
        let asked = Asked { operation, body: &[], input: 0, allowed: Allowed::UNSAID };
        let matched = self.pay(&mut ticket, matched, 0, &asked)?;
        Ok(Call {
            ticket,
            asked: model.to_owned(),
            matched,
            body: Bytes::new(),
            fields: Fields::none(),
            input_tokens: 0,
            allowed: Allowed::UNSAID,
            cache_key: None,
            path_model: None,
            array: false,
            strict: false,
            past: Past::None,
            files_at: None,
            keep: Keep::No,
        })
    }
}
