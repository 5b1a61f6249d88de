//! The issuers that are trusted, and the order in which a token is checked: rule, algorithm, key, signature, claims.

use super::algorithm::Algorithm;
use super::claims::{Place, Terms};
use super::jwks::Jwks;
use super::mapping::{Mapping, texts};
use super::token::Token;
use super::{Refusal, Verified};
use crate::keys::to_hex;
use crate::plan::star;
use crate::snapshot;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Bytes of a hash that stand in a principal's id.
const ID_BYTES: usize = 16;

/// The issuers that are trusted.
#[derive(Default)]
pub struct Issuers {
    rules: Vec<Rule>,
}

/// On which terms tokens of one issuer are taken; several may be of the same one.
struct Rule {
    issuer: String,
    algorithms: Vec<Algorithm>,
    /// Its keys, where they stand in a file; else they come through the directory.
    keys: Option<Arc<Jwks>>,
    when: Vec<(Place, Vec<String>)>,
    terms: Terms,
    mapping: Mapping,
    role: Option<Place>,
    roles: Vec<snapshot::JwtRole>,
    find_by: snapshot::JwtFindBy,
}

impl Issuers {
    /// As they are configured.
    ///
    /// # Errors
    /// A file of keys that holds none.
    pub fn new(rules: Vec<snapshot::JwtRule>) -> Result<Self, String> {
        let rules = rules.into_iter().map(Rule::new).collect::<Result<_, _>>()?;
        Ok(Issuers { rules })
    }

    /// Whether no token is taken at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whom a token names, if it is genuine and counts at `now` (Unix seconds), and the keys that it was checked
    /// by. `fetched`: the keys of an issuer that are not configured.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn verify(
        &self,
        text: &[u8],
        fetched: &dyn Fn(&str) -> Option<Arc<Jwks>>,
        now: u64,
    ) -> Result<(Verified, Arc<Jwks>), Refusal> {
        let token = Token::new(text)?;
        let (index, rule) = self.rule_for(&token.claims)?;
        let algorithm = Algorithm::named(&token.algorithm).ok_or(Refusal::Algorithm)?;
        if !rule.algorithms.contains(&algorithm) {
            return Err(Refusal::Algorithm);
        }
        let keys = rule.keys.clone().or_else(|| fetched(&rule.issuer)).ok_or(Refusal::NoKeys)?;
        keys.check(token.kid.as_deref(), algorithm, token.signed, &token.signature)?;
        let until = rule.terms.check(&token.claims, now)?;
        let subject = subject(&token.claims)?;
        let id = format!("jwt:{}:{}", hash(&rule.issuer), hash(&subject));
        let named = rule.mapping.read(&token.claims);
        let (roles, find_by) = (rule.roles_of(&token.claims), rule.find_by);
        Ok((Verified { id, subject, rule: index, named, find_by, roles, until }, keys))
    }

    /// Whether keys by which a token was checked are still those of an issuer.
    pub fn still_has(&self, keys: &Arc<Jwks>, fetched: impl Fn(&str) -> Option<Arc<Jwks>>) -> bool {
        self.rules.iter().any(|rule| {
            let now = rule.keys.clone().or_else(|| fetched(&rule.issuer));
            now.is_some_and(|now| Arc::ptr_eq(&now, keys) || now == *keys)
        })
    }

    /// The rule by which a token is judged. The claims are not believed yet: they only choose which keys they have
    /// to be signed by.
    fn rule_for(&self, claims: &Map<String, Value>) -> Result<(usize, &Rule), Refusal> {
        let issuer = claims.get("iss").and_then(Value::as_str).ok_or(Refusal::Stranger)?;
        let fits = |(_, rule): &(usize, &Rule)| rule.issuer == issuer && rule.is_for(claims);
        self.rules.iter().enumerate().find(fits).ok_or(Refusal::Stranger)
    }
}

impl Rule {
    fn new(rule: snapshot::JwtRule) -> Result<Self, String> {
        let keys = rule.keys.map(|set| Arc::new(Jwks::new(&set)));
        if keys.as_ref().is_some_and(|keys| keys.is_empty()) {
            return Err(format!("the key file of the issuer {} holds no usable key", rule.issuer));
        }
        let place = |(claim, values): (String, Vec<String>)| (Place::new(claim), values);
        Ok(Rule {
            algorithms: rule.algorithms,
            keys,
            when: rule.when.into_iter().map(place).collect(),
            terms: Terms {
                audiences: rule.audiences,
                leeway: rule.leeway,
                max_lifetime: rule.max_lifetime,
                required: rule.required.into_iter().map(Place::new).collect(),
            },
            role: rule.claims.role.clone().map(Place::new),
            roles: rule.roles,
            find_by: rule.find_by,
            mapping: Mapping::new(rule.claims, rule.defaults),
            issuer: rule.issuer,
        })
    }

    /// Whether every claim that the rule asks for has one of its values.
    fn is_for(&self, claims: &Map<String, Value>) -> bool {
        self.when.iter().all(|(place, patterns)| {
            let values = place.find(claims).map(texts).unwrap_or_default();
            values.iter().any(|value| patterns.iter().any(|pattern| matches(pattern, value)))
        })
    }

    /// The roles that the claims give.
    fn roles_of(&self, claims: &Map<String, Value>) -> Vec<snapshot::JwtRole> {
        let found = self.role.as_ref().and_then(|place| place.find(claims));
        let values = found.map(texts).unwrap_or_default();
        let given = |role: &&snapshot::JwtRole| values.iter().any(|one| matches(&role.value, one));
        self.roles.iter().filter(given).cloned().collect()
    }
}

fn matches(pattern: &str, value: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => star(value, before, after).is_some(),
        None => pattern == value,
    }
}

fn subject(claims: &Map<String, Value>) -> Result<String, Refusal> {
    let found = claims.get("sub").map(texts).unwrap_or_default();
    found.into_iter().next().ok_or(Refusal::Claim("The token names no subject."))
}

fn hash(text: &str) -> String {
    to_hex(&digest(&SHA256, text.as_bytes()).as_ref()[..ID_BYTES])
}
