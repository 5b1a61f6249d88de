//! At which account something new is to lie: the one of a named model or provider, or the only one there is.

use crate::access;
use crate::error::{Class, Error, Result};
use crate::gate::check_region;
use crate::http1::Head;
use crate::plan::{Deployment, Key, Plan};
use crate::responses::account::{self, Account};
use crate::responses::shown;
use crate::snapshot::Operation;
use std::collections::BTreeSet;

/// The provider that stands back where there is another: it is always there.
const MOCK: &str = "mock";

/// How a client names the account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// A public model name.
    pub model: Option<String>,
    /// A provider, or a deployment by its id.
    pub provider: Option<String>,
}

impl Named {
    /// As far as a request's head tells.
    ///
    /// # Errors
    /// `InvalidRequest` for a name that is no text.
    pub fn of(head: &Head) -> Result<Self> {
        let wrong = || invalid("The name of the provider is not valid.", "provider");
        let provider =
            match (head.header("x-llmgw-provider"), access::query_field(head, "provider")) {
                (Some(name), _) => Some(String::from_utf8(name.to_vec()).map_err(|_| wrong())?),
                (None, name) => name,
            };
        Ok(Named { model: None, provider: provider.filter(|name| !name.is_empty()) })
    }
}

/// Where a model's name leads.
#[derive(Debug, PartialEq, Eq)]
pub struct Leading {
    /// The model's public name, after the key's own map.
    pub name: String,
    /// What is sent instead of it.
    pub routed: String,
}

/// The deployment through whose account something new is made.
///
/// # Errors
/// Any class that says what the client has to name, or may not use.
pub fn choose(plan: &Plan, key: &Key, named: &Named) -> Result<usize> {
    let of_model = named.model.as_deref().map(|model| of_model(plan, key, model)).transpose()?;
    let found = of_model.unwrap_or_else(|| reachable(plan, key));
    let found = match &named.provider {
        Some(name) => {
            let fits = |index: &usize| {
                let one = &plan.deployments[*index];
                one.provider == *name || one.id == *name
            };
            found.into_iter().filter(fits).collect()
        }
        None if named.model.is_none() => without_mock(plan, found),
        None => found,
    };
    let first = *found.first().ok_or_else(|| nowhere(named))?;
    let found: Vec<usize> =
        found.into_iter().filter(|&index| may_lie_at(plan, key, index)).collect();
    let Some(&first) = found.first() else {
        check_region(key, plan.deployments[first].region.as_deref())?;
        return Err(nowhere(named));
    };
    let account = |index: usize| plan.deployments[index].files.as_ref();
    let is_clear =
        named.model.is_some() || found.iter().all(|&index| account(index) == account(first));
    if is_clear { Ok(first) } else { Err(unclear(plan, &found)) }
}

/// Where a model's name leads a key, at this account.
///
/// # Errors
/// `ModelNotFound`, `PermissionDenied`, or `InvalidRequest` if the model is elsewhere.
pub fn lead(plan: &Plan, key: &Key, model: &str, account: &Account) -> Result<Leading> {
    let (name, group, matched) = meaning(plan, key, model)?;
    let at = |index: &usize| plan.deployments[*index].files.as_ref() == Some(account);
    let Some(deployment) = plan.members(group).find(at) else {
        let message = format!("The model `{}` is not at the provider of this file.", shown(model));
        return Err(invalid(&message, "model"));
    };
    let routed = plan.deployments[deployment].routed_model(&matched);
    Ok(Leading { name, routed })
}

/// What a model's name means to a key: the public name, its group, what a wildcard matched.
fn meaning(plan: &Plan, key: &Key, model: &str) -> Result<(String, usize, String)> {
    let name = key.map().meaning(model).into_owned();
    let Some(found) = plan.resolve(&name) else {
        let message = format!("The model `{}` does not exist here.", shown(model));
        return Err(Error::new(Class::ModelNotFound, message).with_param("model"));
    };
    if !key.may_use(&name) {
        let message = format!("The key may not use the model `{}`.", shown(model));
        return Err(Error::new(Class::PermissionDenied, message).with_param("model"));
    }
    let (group, matched) = (found.group, found.matched.to_owned());
    Ok((name, group, matched))
}

fn of_model(plan: &Plan, key: &Key, model: &str) -> Result<Vec<usize>> {
    let (_, group, _) = meaning(plan, key, model)?;
    let found: Vec<usize> = plan.members(group).filter(|&index| keeps(plan, index)).collect();
    if found.is_empty() {
        let message = format!("The provider of the model `{}` keeps no files.", shown(model));
        return Err(Error::new(Class::NotSupported, message).with_param("model"));
    }
    Ok(found)
}

/// The deployments that keep files, of all models that the key may use.
fn reachable(plan: &Plan, key: &Key) -> Vec<usize> {
    let names = plan.visible_models(key);
    let groups: BTreeSet<usize> = names
        .iter()
        .filter(|name| plan.leads(key, name))
        .filter_map(|name| plan.resolve(&key.map().meaning(name)).map(|found| found.group))
        .collect();
    let members = groups.into_iter().flat_map(|group| plan.members(group));
    let found: BTreeSet<usize> = members.filter(|&index| keeps(plan, index)).collect();
    found.into_iter().collect()
}

fn keeps(plan: &Plan, index: usize) -> bool {
    serves(&plan.deployments[index])
}

/// Whether what is a key's may lie at the account of a deployment.
fn may_lie_at(plan: &Plan, key: &Key, index: usize) -> bool {
    key.may_be_served_in(plan.deployments[index].region.as_deref())
}

fn serves(deployment: &Deployment) -> bool {
    deployment.serves(Operation::Files).is_some()
}

fn without_mock(plan: &Plan, found: Vec<usize>) -> Vec<usize> {
    let is_real = |index: &usize| plan.deployments[*index].provider != MOCK;
    let real: Vec<usize> = found.iter().copied().filter(is_real).collect();
    if real.is_empty() { found } else { real }
}

fn nowhere(named: &Named) -> Error {
    let Some(name) = &named.provider else {
        let message = "No provider that keeps files can be reached with this key.";
        return Error::new(Class::NotSupported, message);
    };
    let message = format!("No provider `{}` that keeps files can be reached.", shown(name));
    invalid(&message, "provider")
}

fn unclear(plan: &Plan, found: &[usize]) -> Error {
    let name = |index: &usize| &plan.deployments[*index];
    let providers: BTreeSet<&str> = found.iter().map(|index| &*name(index).provider).collect();
    // Two accounts of one provider are told apart by their deployments.
    let names: BTreeSet<&str> = match providers.len() {
        1 => found.iter().map(|index| &*name(index).id).collect(),
        _ => providers,
    };
    let names: Vec<&str> = names.into_iter().take(10).collect();
    let message = format!(
        "It could lie at more than one provider: give a field `model`, or name one in the header \
         `x-llmgw-provider` or as `?provider=` ({}).",
        names.join(", ")
    );
    invalid(&message, "provider")
}

fn invalid(message: &str, param: &'static str) -> Error {
    Error::new(Class::InvalidRequest, message).with_param(param)
}

/// The deployment that can see what lies at an account; see [`crate::responses::account::find`].
#[must_use]
pub fn find(plan: &Plan, account: &Account, maker: &str) -> Option<usize> {
    account::find_by(plan, account, maker, |one| one.files.as_ref().filter(|_| serves(one)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{APP_KEY, deployment, group, plan, virtual_key};
    use serde_json::json;
    use std::sync::Arc;

    /// Deployments by id and provider, each at the account of its base URL; the groups have their names.
    fn plan_of(deployments: &[(&str, &str, &str)], models: &[&str]) -> Arc<Plan> {
        plan(|snapshot| {
            let made = deployments.iter().map(|(id, provider, base)| {
                let mut one = deployment(id, base);
                one["provider"] = (*provider).into();
                if !base.ends_with("none") {
                    let url = format!("{base}/files");
                    one["urls"]["files"] = url.clone().into();
                    one["files_url"] = url.into();
                }
                one
            });
            snapshot["deployments"] = made.collect();
            let names = || deployments.iter().enumerate();
            snapshot["groups"] = names().map(|(at, (id, ..))| group(id, &[at])).collect();
            snapshot["models"] =
                names().map(|(at, (id, ..))| ((*id).to_owned(), json!(at))).collect();
            let mut key = virtual_key("app", APP_KEY);
            key["models"] = json!(models);
            snapshot["auth"]["keys"] = json!([key]);
        })
    }

    const A: &str = "http://127.0.0.1:9/a";
    const B: &str = "http://127.0.0.1:9/b";
    const NONE: &str = "http://127.0.0.1:9/none";
    const ALL: [(&str, &str, &str); 5] =
        [("a1", "x", A), ("a2", "x", A), ("b", "y", B), ("none", "z", NONE), ("mock", "mock", B)];

    fn chosen(models: &[&str], model: Option<&str>, provider: Option<&str>) -> Result<usize> {
        let plan = plan_of(&ALL, models);
        let named =
            Named { model: model.map(str::to_owned), provider: provider.map(str::to_owned) };
        choose(&plan, plan.key_named("app").unwrap(), &named)
    }

    #[test]
    fn the_only_account_in_reach_need_not_be_named() {
        assert_eq!(chosen(&["a1", "a2", "none"], None, None).unwrap(), 0);
        assert_eq!(chosen(&["a2", "mock"], None, None).unwrap(), 1);
        assert_eq!(chosen(&["mock"], None, None).unwrap(), 4);
    }

    #[test]
    fn one_of_more_accounts_is_named_by_model_provider_or_deployment() {
        let all = ["a1", "a2", "b", "none", "mock"];
        assert_eq!(chosen(&all, None, None).unwrap_err().class, Class::InvalidRequest);
        assert_eq!(chosen(&all, Some("b"), None).unwrap(), 2);
        assert_eq!(chosen(&all, None, Some("x")).unwrap(), 0);
        assert_eq!(chosen(&all, None, Some("mock")).unwrap(), 4);
        assert_eq!(chosen(&all, None, Some("b")).unwrap(), 2);
    }

    #[test]
    fn what_is_out_of_reach_is_refused() {
        let class = |model, provider| chosen(&["a1", "none"], model, provider).unwrap_err().class;
        assert_eq!(class(Some("b"), None), Class::PermissionDenied);
        assert_eq!(class(Some("nobody"), None), Class::ModelNotFound);
        assert_eq!(class(Some("none"), None), Class::NotSupported);
        assert_eq!(class(None, Some("y")), Class::InvalidRequest);
        assert_eq!(class(Some("a1"), Some("y")), Class::InvalidRequest);
        assert_eq!(chosen(&["none"], None, None).unwrap_err().class, Class::NotSupported);
    }

    #[test]
    fn a_model_leads_to_an_account_only_if_it_is_there() {
        let plan = plan_of(&ALL, &["a1", "b"]);
        let key = plan.key_named("app").unwrap();
        let account = plan.deployments[1].files.clone().unwrap();
        let leading = lead(&plan, key, "a1", &account).unwrap();
        assert_eq!((leading.name.as_str(), leading.routed.as_str()), ("a1", "routed"));
        assert_eq!(lead(&plan, key, "b", &account).unwrap_err().class, Class::InvalidRequest);
        assert_eq!(lead(&plan, key, "a2", &account).unwrap_err().class, Class::PermissionDenied);
    }
}
