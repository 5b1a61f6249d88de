//! Admission of what is passed through: the same rules as everywhere, read off requests that the gateway
//! does not understand otherwise.

use super::{Desk, Shop, shown};
use crate::call::output_ceiling;
use crate::error::{Class, Error, Result};
use crate::json::{self, Object};
use crate::limiter::Decision;
use crate::plan::{Deployment, Key, Plan};
use crate::snapshot::{Operation, PiiMode};
use crate::through::{Door, naming};

/// What admission needs of a request that is passed through.
pub struct Bid<'a> {
    /// Which way it goes.
    pub door: &'a Door,
    /// The method.
    pub method: &'a str,
    /// The models that its path names.
    pub models: &'a [String],
    /// What its path is known to be.
    pub operation: Option<Operation>,
    /// Its body.
    pub body: Body<'a>,
}

/// A body, as far as it is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// There is none.
    None,
    /// JSON, all of it.
    Json(&'a [u8]),
    /// Anything else, or JSON that is not looked at.
    Other,
}

/// What was reserved for a request.
#[derive(Debug, Default)]
pub struct Admitted {
    /// State of the key's limits: requests, tokens.
    pub limits: [Option<Decision>; 2],
    /// Input tokens, counted where the request is known.
    pub input_tokens: u64,
    /// Tokens reserved.
    pub reserved: u64,
}

impl Shop {
    /// Lets a request through, or says why not.
    ///
    /// # Errors
    /// `PermissionDenied`, `GuardrailBlocked`, `InvalidRequest` or `RateLimited`; nothing is reserved then.
    pub fn admit_through(
        &self,
        plan: &Plan,
        key: &Key,
        desk: &mut Desk,
        bid: &Bid<'_>,
    ) -> Result<Admitted> {
        let must_read = key.is_limited() || plan.pii == Some(PiiMode::Block);
        let object = match bid.body {
            Body::Json(body) => match json::parse_object(body) {
                Ok(object) => Some((body, object)),
                Err(error) if must_read => return Err(error),
                Err(_) => None,
            },
            Body::None | Body::Other => None,
        };
        let deployment = &plan.deployments[bid.door.deployment];
        if key.is_limited() {
            check_models(plan, key, deployment, bid)?;
        }
        let read = match (&object, bid.operation) {
            (Some((body, object)), Some(operation)) => {
                desk.prompt.read(operation, body, object);
                true
            }
            (Some((body, _)), None) if plan.pii.is_some() => {
                desk.prompt.read_everything(body);
                true
            }
            _ => false,
        };
        match plan.pii {
            Some(PiiMode::Block) if bid.body == Body::Other => return Err(unreadable()),
            Some(mode) if read => drop(self.guard(desk, mode)?),
            _ => {}
        }
        let (input_tokens, reserved) = match (object, bid.operation) {
            (Some((body, object)), Some(operation)) => {
                count(desk, deployment, operation, body, &object)
            }
            _ => (0, 0),
        };
        let limits = self.reserve(key, reserved)?;
        Ok(Admitted { limits, input_tokens, reserved })
    }
}

/// A key that is limited to models has to say which it uses, where it can be seen.
fn check_models(plan: &Plan, key: &Key, deployment: &Deployment, bid: &Bid<'_>) -> Result<()> {
    let door = bid.door;
    let mut named = bid.models.to_vec();
    match bid.body {
        Body::Json(body) => named.extend(naming::models_in(body)),
        Body::None => {}
        Body::Other => {
            let message = "A key that is limited to models may pass JSON bodies through only: \
                           others may name a model that is not seen.";
            return Err(Error::new(Class::PermissionDenied, message));
        }
    }
    if named.is_empty() && !matches!(bid.method, "GET" | "HEAD" | "DELETE") {
        let message = "A key that is limited to models may only pass through what names its model.";
        return Err(Error::new(Class::PermissionDenied, message).with_param("model"));
    }
    let may_use = |model: &str| {
        key.may_use(&[&door.name, "/", model].concat()) || plan.may_reach(key, deployment, model)
    };
    match named.iter().find(|model| !may_use(model)) {
        None => Ok(()),
        Some(model) => {
            let message = format!("The key may not use the model {}.", shown(model));
            Err(Error::new(Class::PermissionDenied, message).with_param("model"))
        }
    }
}

/// Input tokens, and with the output that the client allows.
fn count(
    desk: &mut Desk,
    deployment: &Deployment,
    operation: Operation,
    body: &[u8],
    object: &Object,
) -> (u64, u64) {
    let Desk { prompt, memo, .. } = desk;
    let input = prompt.tokens(operation, |text| memo.count(deployment.tokenizer, text));
    let reserved = if operation.counts() { 0 } else { input + output_ceiling(body, object) };
    (input, reserved)
}

fn unreadable() -> Error {
    let message =
        "The body cannot be scanned for personal data, so it may not leave: only JSON can.";
    Error::new(Class::GuardrailBlocked, message)
}
