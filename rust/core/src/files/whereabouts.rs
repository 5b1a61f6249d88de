//! At which account something new is to lie: the one of a named model or provider, or the only one there is.

use crate::access;
use crate::error::{Class, Error, Result};
use crate::http1::Head;
use crate::plan::{Key, Plan};
use crate::responses::account::{self, Account};
use crate::responses::shown;
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

/// The deployment of a model at an account, and what the model is called there.
#[derive(Debug, PartialEq, Eq)]
pub struct Leading {
    /// Its index.
    pub deployment: usize,
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
    Ok(Leading { deployment, name, routed })
}

/// What a model's name means to a key: the public name, its group, what a wildcard matched.
fn meaning(plan: &Plan, key: &Key, model: &str) -> Result<(String, usize, String)> {
    let name = key.map.meaning(model).into_owned();
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
        .filter_map(|name| plan.resolve(&key.map.meaning(name)).map(|found| found.group))
        .collect();
    let members = groups.into_iter().flat_map(|group| plan.members(group));
    let found: BTreeSet<usize> = members.filter(|&index| keeps(plan, index)).collect();
    found.into_iter().collect()
}

fn keeps(plan: &Plan, index: usize) -> bool {
    plan.deployments[index].files.is_some()
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
    account::find_by(plan, account, maker, |one| one.files.as_ref())
}
