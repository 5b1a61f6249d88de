//! Admission of a form: its fields stand apart, and its files are not looked at.

use super::{Desk, Shop, lead};
use crate::call::{Allowed, Call, Fields, Keep, Ticket};
use crate::caller::Caller;
use crate::error::{Class, Error, Result};
use crate::limits::{Asked, Held};
use crate::plan::{Key, Plan};
use crate::responses::previous::Past;
use crate::snapshot::Operation;
use bytes::Bytes;
use std::sync::Arc;

/// What admission needs of a form.
pub struct FormArrival<'a> {
    /// Who sends it.
    pub caller: Caller,
    /// Which endpoint.
    pub operation: Operation,
    /// The model asked for.
    pub model: &'a str,
    /// The texts that the model will read.
    pub texts: &'a [&'a [u8]],
}

impl Shop {
    /// Lets a form in, or says why not. Nothing of it is cached.
    ///
    /// # Errors
    /// As of [`Shop::admit`].
    pub fn admit_form(
        &self,
        plan: Arc<Plan>,
        key: Arc<Key>,
        desk: &mut Desk,
        arrival: FormArrival<'_>,
    ) -> Result<Call> {
        let FormArrival { caller, operation, model, texts } = arrival;
        let (_, group, matched) = lead(&plan, &key, model)?;
        if texts.iter().any(|text| simdutf8::basic::from_utf8(text).is_err()) {
            let message = "A field of the form is not valid UTF-8.";
            return Err(Error::new(Class::InvalidRequest, message));
        }
        desk.prompt.read_texts(texts.iter().copied());
        let tokenizer = plan.groups[group].tokenizer;
        let Desk { prompt, memo, .. } = desk;
        let input_tokens = prompt.tokens(operation, |text| memo.count(tokenizer, text));
        if let Some(mode) = plan.pii {
            self.guard(desk, mode)?;
        }
        let (downgraded, held) = (None, Held::default());
        let mut ticket = Ticket { plan, key, caller, operation, group, downgraded, held };
        let asked = Asked { operation, body: &[], input: input_tokens, allowed: Allowed::UNSAID };
        let matched = self.pay(&mut ticket, matched, 0, &asked)?;
        Ok(Call {
            ticket,
            asked: model.to_owned(),
            matched,
            body: Bytes::new(),
            fields: Fields::none(),
            input_tokens,
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
