//! Where an upstream keeps responses, so that they are found again under another configuration.
//!
//! Ids of deployments are not enough: those that are made from models move on when another deployment is
//! put before them.

use crate::plan::{Deployment, Plan};
use crate::store::entry::Origin;
use serde::{Deserialize, Serialize};

/// A host and a credential: what deployments of one account have made, all of them can see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Where such things are made.
    url: String,
    /// A digest of that and of the headers that do not expire, the credential among them.
    digest: String,
}

impl Account {
    /// The account of a deployment.
    #[must_use]
    pub fn new(url: &str, headers: &[(String, String)]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in
            [url].into_iter().chain(headers.iter().flat_map(|(name, value)| [&**name, value]))
        {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        Account { url: url.to_owned(), digest: hasher.finalize().to_hex().to_string() }
    }
}

/// The deployment that can see what an upstream keeps: one of the same account, the one that made it
/// first; or else the one that made it, if it is still at the same host: its credential was renewed.
#[must_use]
pub fn find(plan: &Plan, origin: &Origin) -> Option<usize> {
    find_by(plan, origin.account.as_ref()?, &origin.deployment, |one| one.account.as_ref())
}

/// The same for anything that an upstream keeps; `own` tells the account that a deployment has for it.
pub fn find_by(
    plan: &Plan,
    account: &Account,
    maker: &str,
    own: impl Fn(&Deployment) -> Option<&Account>,
) -> Option<usize> {
    let all = || plan.deployments.iter().enumerate();
    let made_it = |one: &Deployment| one.id == maker;
    let same = |one: &Deployment| own(one) == Some(account);
    let there = |one: &Deployment| own(one).is_some_and(|own| own.url == account.url);
    let found = all()
        .find(|(_, one)| made_it(one) && same(one))
        .or_else(|| all().find(|(_, one)| same(one)))
        .or_else(|| all().find(|(_, one)| made_it(one) && there(one)));
    found.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{deployment, group, plan};
    use serde_json::json;
    use std::sync::Arc;

    const HERE: &str = "http://127.0.0.1:9/v1/responses";

    /// A plan of these deployments: id, URL of responses, key.
    fn plan_of(deployments: &[(&str, &str, &str)]) -> Arc<Plan> {
        plan(|snapshot| {
            let made = deployments.iter().map(|(id, url, key)| {
                let mut one = deployment(id, "http://127.0.0.1:9/v1");
                one["urls"] = json!({"responses": url});
                one["headers"] = json!([["authorization", key]]);
                one
            });
            snapshot["deployments"] = made.collect();
            snapshot["groups"] = json!([group("chat", &[0])]);
        })
    }

    fn found(deployments: &[(&str, &str, &str)]) -> Option<usize> {
        let before = plan_of(&[("one", HERE, "key")]);
        let origin = Origin {
            kept_at: 0,
            group: "chat".into(),
            deployment: "one".into(),
            model: "routed".into(),
            account: before.deployments[0].account.clone(),
        };
        find(&plan_of(deployments), &origin)
    }

    #[test]
    fn who_made_it_is_found_first() {
        assert_eq!(found(&[("two", HERE, "key"), ("one", HERE, "key")]), Some(1));
    }

    #[test]
    fn who_took_over_its_id_is_not_taken_for_it() {
        assert_eq!(found(&[("one", HERE, "other"), ("one#2", HERE, "key")]), Some(1));
    }

    #[test]
    fn a_renewed_credential_is_the_same_account() {
        assert_eq!(found(&[("two", HERE, "key2"), ("one", HERE, "key2")]), Some(1));
    }

    #[test]
    fn nobody_is_found_elsewhere() {
        let elsewhere = "http://127.0.0.1:9/other/responses";
        assert_eq!(found(&[("one", elsewhere, "key"), ("two", HERE, "other")]), None);
    }
}
