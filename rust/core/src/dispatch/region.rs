//! Where a call may be served: a key that is bound to regions reaches deployments in them, and no others.

use super::Failure;
use crate::balancer::Candidate;
use crate::call::Call;
use crate::error::Class;

/// Leaves out the deployments in regions that the call's key may not use. One whose region is not known is
/// in none of them.
///
/// # Errors
/// `RegionDenied` if none is left.
pub(super) fn keep_allowed(
    call: &Call,
    candidates: &mut Vec<Candidate>,
    group: usize,
) -> Result<(), Failure> {
    let plan = &call.plan;
    let is_allowed =
        |index: usize| call.key.may_be_served_in(plan.deployments[index].region.as_deref());
    candidates.retain(|one| is_allowed(one.index));
    if !candidates.is_empty() {
        return Ok(());
    }
    let name = &plan.groups[group].name;
    let message =
        format!("No deployment of the model `{name}` is in a region that the key may use.");
    Err(Failure::new(Class::RegionDenied, message))
}
