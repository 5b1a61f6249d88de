//! Whose tokens are taken instead of a key, and what their claims mean.

use crate::jwt::Algorithm;
use serde::{Deserialize, Serialize};

/// On which terms tokens of one issuer are taken.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtRule {
    /// The claim `iss`, letter by letter.
    pub issuer: String,
    /// A token must be for one of these.
    pub audiences: Vec<String>,
    /// The algorithms that count, whatever a token says.
    pub algorithms: Vec<Algorithm>,
    /// The issuer's key set, where it stands in a file; else it comes through the directory.
    pub keys: Option<serde_json::Value>,
    /// Seconds that clocks may differ.
    pub leeway: u64,
    /// Longest life of a token, in seconds.
    pub max_lifetime: Option<u64>,
    /// Claims that a token must have.
    pub required: Vec<String>,
    /// The rule is for tokens whose claims have one of these values each; a `*` stands for anything.
    pub when: Vec<(String, Vec<String>)>,
    /// Where the claims lie that name things.
    pub claims: JwtClaims,
    /// What is meant where a claim is missing.
    pub defaults: JwtDefaults,
    /// By what the things are named.
    pub find_by: JwtFindBy,
    /// Roles in the admin API, by the values of `claims.role`.
    pub roles: Vec<JwtRole>,
}

/// Who gets a role in the admin API.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct JwtRole {
    /// A value of the claim; a `*` in it stands for anything.
    pub value: String,
    /// The role.
    pub role: String,
    /// Where it holds: `platform`, `organisation`, `team` or `project`.
    pub on: String,
    /// The id of that; `None`: the one that the claims name.
    pub id: Option<String>,
}

/// Where the claims lie that name things: names of claims, or JSON pointers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtClaims {
    /// The organisation.
    pub organisation: Option<String>,
    /// The team, or several of which the first that is known counts.
    pub team: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The service account.
    pub service_account: Option<String>,
    /// What `roles` looks at.
    pub role: Option<String>,
    /// Models that the holder may use.
    pub models: Option<String>,
    /// Tags of the holder's requests.
    pub tags: Option<String>,
}

/// What is meant where a claim is missing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtDefaults {
    /// The organisation.
    pub organisation: Option<String>,
    /// The team.
    pub team: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// The user.
    pub user: Option<String>,
}

/// By what the things are named that claims name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JwtFindBy {
    /// Their ids here.
    #[default]
    Id,
    /// Their names here.
    Name,
    /// The ids that the issuer gave them (SCIM).
    ExternalId,
}
