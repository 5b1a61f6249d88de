//! JSON Web Tokens that clients show instead of a virtual key: is it genuine, and whom does it name?
//!
//! Bytes in, a [`Verified`] or a refusal out; nothing here asks the network or the directory. Which algorithms
//! count is told by the configuration and by the key, never by the token: a token only chooses among what is
//! pinned. Keys are found by the issuer that the configuration names and by `kid`; whatever else a token's head
//! says of keys (`jku`, `jwk`, `x5u`, `x5c`) is not looked at.

mod algorithm;
pub(crate) mod base64url;
mod cache;
mod claims;
mod jwks;
mod lead;
mod mapping;
mod rule;
mod token;

pub use algorithm::Algorithm;
pub use cache::{Cache, Digest};
pub use jwks::{Jwks, MAX_KEYS};
pub use lead::{Find, principal};
pub use mapping::{Named, Subject};
pub use rule::Issuers;
pub use token::{MAX_BYTES, Token};

use crate::error::{Class, Error};
use crate::snapshot::{JwtFindBy, JwtRole};
use serde::Serialize;

/// Whom a genuine token names, in the words of its issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// `jwt:<hash of the issuer>:<hash of the subject>`: the principal's id.
    pub id: String,
    /// The issuer's word for whom it has let in.
    pub subject: String,
    /// Which rule of the configuration let it in.
    pub rule: usize,
    /// What its claims name.
    pub named: Named,
    /// By what they name it.
    pub find_by: JwtFindBy,
    /// Roles that they give in the admin API.
    pub roles: Vec<JwtRole>,
    /// Unix seconds from which it counts no more, the leeway included.
    pub until: u64,
}

/// Why a token is refused. None of the texts holds anything of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is no token that we read.
    Malformed(&'static str),
    /// Nobody has configured its issuer, or its claims fit no rule of that issuer.
    Stranger,
    /// Its algorithm is not among those pinned for the issuer.
    Algorithm,
    /// No key of the issuer has its `kid` and fits its algorithm.
    UnknownKey,
    /// The issuer's keys have not come yet.
    NoKeys,
    /// The signature does not fit.
    Signature,
    /// A claim does not fit.
    Claim(&'static str),
}

impl Refusal {
    /// Whether newer keys of the issuer might change it.
    #[must_use]
    pub fn may_be_cured_by_new_keys(self) -> bool {
        matches!(self, Refusal::UnknownKey | Refusal::NoKeys)
    }

    fn message(self) -> &'static str {
        match self {
            Refusal::Malformed(what) | Refusal::Claim(what) => what,
            Refusal::Stranger => {
                "The token's issuer is not known here, or no rule lets its holder in."
            }
            Refusal::Algorithm => {
                "The token is signed by an algorithm that is not allowed for its issuer."
            }
            Refusal::UnknownKey => "The token names a signing key that its issuer does not have.",
            Refusal::NoKeys => "The signing keys of the token's issuer are not known yet.",
            Refusal::Signature => "The token's signature does not fit.",
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::new(Class::Unauthenticated, refusal.message())
    }
}

#[cfg(test)]
mod tests;
