//! Why an attempt failed, and which of several failures is told.

use super::Whole;
use crate::error::{Class, Error};
use crate::usage::Usage;
use std::borrow::Cow;
use std::time::Duration;

/// What a provider may charge for an attempt that failed, if it was sent.
#[derive(Debug)]
pub(super) enum Bill {
    /// Nothing: it said no, by its status.
    Refused,
    /// Nothing: what came was no reply.
    Failed,
    /// What it told in a reply that came whole, and was of no use.
    Told(Box<Usage>),
    /// For all that is known, its input and the output that came of it.
    Perhaps {
        /// What it told in the beginning.
        told: Option<Box<Usage>>,
        /// Output tokens that came, estimated.
        output: u32,
    },
}

impl Default for Bill {
    fn default() -> Self {
        Bill::Perhaps { told: None, output: 0 }
    }
}

/// Why an attempt failed.
pub struct Failure {
    pub(super) class: Class,
    /// For the client.
    pub(super) message: String,
    /// The request's field at fault.
    pub(super) param: Option<Cow<'static, str>>,
    /// For the operator alone: why there was no connection.
    pub(super) reason: String,
    /// What the upstream answered with.
    pub(super) status: Option<u16>,
    pub(super) retry_after: Option<Duration>,
    /// The deployment may be sent to rest for it.
    pub(super) rests: bool,
    /// The upstream's own words, where they are meant for the client.
    pub(super) reply: Option<Box<Whole>>,
    /// What its provider may charge for it.
    pub(super) bill: Bill,
    /// The client left, or sent what cannot be read: no fault of the deployment.
    pub(super) is_clients: bool,
    /// It was not sent, since others go first: another group may have room.
    pub(super) is_shed: bool,
}

impl Failure {
    pub(super) fn new(class: Class, message: String) -> Self {
        Failure {
            class,
            message,
            param: None,
            reason: String::new(),
            status: None,
            retry_after: None,
            rests: class.row().cool_down,
            reply: None,
            bill: Bill::default(),
            is_clients: false,
            is_shed: false,
        }
    }

    /// The same, with what its provider may charge for it.
    pub(super) fn billed(self, bill: Bill) -> Self {
        Failure { bill, ..self }
    }

    /// What the client gets: the upstream's reply as sent, or an error of ours.
    ///
    /// # Errors
    /// The error, if the upstream's reply is not for the client.
    pub fn into_reply(self) -> Result<Whole, Error> {
        if let Some(reply) = self.reply {
            return Ok(*reply);
        }
        let mut error = Error::new(self.class, self.message);
        error.param = self.param;
        error.retry_after = self.retry_after.map(|time| time.as_secs_f64());
        Err(error)
    }

    /// Whether it says more than the failure of a group before: that it cannot serve such a request at all,
    /// or cannot be given what lies at a URL, says least, that it could not be tried a little more; of those
    /// that were tried the last one counts.
    pub(super) fn outweighs(&self, before: &Failure) -> bool {
        let weight = |failure: &Failure| match failure.class {
            _ if failure.is_of_the_request() => 0,
            Class::InvalidRequest if failure.status.is_none() => 0,
            Class::NoDeployment | Class::RegionDenied => 1,
            _ => 2,
        };
        weight(self) > weight(before) || weight(self) == 2
    }

    /// The deployment cannot be asked such a thing; another may.
    pub(super) fn is_of_the_request(&self) -> bool {
        matches!(self.class, Class::NotSupported | Class::Untranslatable)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { param: error.param, ..Failure::new(error.class, error.message) }
    }
}
