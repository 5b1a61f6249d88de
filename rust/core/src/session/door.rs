//! Through which listener of the edge a client came in.

/// The listeners of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Everything is served here.
    Only,
    /// Everything but the admin API, which has a door of its own.
    Public,
    /// The admin API alone.
    Admin,
}

impl Door {
    /// As the control plane is told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Door::Only => "only",
            Door::Public => "public",
            Door::Admin => "admin",
        }
    }
}
