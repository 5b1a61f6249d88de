//! What holds for a prompt that does not come as a request of its own, but in a batch.

use super::{Desk, Shop};
use crate::error::Result;
use crate::json::Object;
use crate::plan::Plan;
use crate::snapshot::Operation;

impl Shop {
    /// Looks for personal data and secrets in what a model would read of a body, as [`Shop::admit`] does.
    ///
    /// # Errors
    /// `GuardrailBlocked`.
    pub fn inspect(
        &self,
        plan: &Plan,
        desk: &mut Desk,
        operation: Operation,
        body: &[u8],
        object: &Object,
    ) -> Result<()> {
        let Some(mode) = plan.pii else { return Ok(()) };
        desk.prompt.read(operation, body, object);
        self.guard(desk, mode).map(drop)
    }
}
