//! Admission of what is passed through: the same rules as everywhere, read off requests that the gateway
//! does not understand otherwise.

use super::{Desk, Payer, Shop, shown};
use crate::call::Allowed;
use crate::error::{Class, Error, Result};
use crate::json;
use crate::limits::{Asked, Demand, Held};
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
pub struct Admitted {
    /// What it has taken of limits and budgets.
    pub held: Held,
    /// Input tokens, counted where the request is known.
    pub input_tokens: u64,
    /// Output that the client allows.
    pub allowed: Allowed,
}

impl Shop {
    /// Lets a request through, or says why not.
    ///
    /// # Errors
    /// `PermissionDenied`, `GuardrailBlocked`, `InvalidRequest` or `RateLimited`; nothing is reserved then.
    pub fn admit_through(
        &self,
        payer: Payer<'_>,
        desk: &mut Desk,
        bid: &Bid<'_>,
    ) -> Result<Admitted> {
        let Payer { plan, key, .. } = payer;
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
        let mut asked = Asked {
            operation: bid.operation.unwrap_or(Operation::ChatCompletions),
            body: if let Body::Json(body) = bid.body { body } else { &[] },
            input: 0,
            allowed: Allowed::UNSAID,
        };
        if let (Some((body, object)), Some(operation)) = (&object, bid.operation) {
            let Desk { prompt, memo, .. } = desk;
            asked.input = prompt.tokens(operation, |text| memo.count(deployment.tokenizer, text));
            asked.allowed = Allowed::of(body, object);
        }
        let demand = demand(plan, bid, &asked);
        let held = self.reserve(payer, &bid.door.name, demand)?;
        Ok(Admitted { held, input_tokens: asked.input, allowed: asked.allowed })
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

/// What a request demands, as far as it is understood.
fn demand(plan: &Plan, bid: &Bid<'_>, asked: &Asked<'_>) -> Demand {
    let bytes = asked.body.len() as u64;
    // Only what makes something anew may cost something.
    if asked.operation.counts() || bid.method != "POST" {
        return Demand { bytes, ..Demand::default() };
    }
    let (input, output) = (asked.input, asked.allowed.said());
    Demand { input, output, bytes, hold: plan.hold_unknown(asked) }
}

fn unreadable() -> Error {
    let message =
        "The body cannot be scanned for personal data, so it may not leave: only JSON can.";
    Error::new(Class::GuardrailBlocked, message)
}
