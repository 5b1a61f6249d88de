//! The limits of the settings that all of a kind have, each for itself: every team, every address.

use super::Whose;
use super::bill::Bill;
use super::charges::{Limited, owner_hash};
use crate::limiter::bucket_id;
use crate::plan::Pattern;
use crate::snapshot::{LimitBy, SharedLimit};

/// Such limits, in the order of the settings.
#[derive(Debug, Default)]
pub struct SharedLimits(Box<[Shared]>);

#[derive(Debug)]
struct Shared {
    by: LimitBy,
    matching: Option<Pattern>,
    limited: Limited,
}

/// Who a request is of, for one kind of limit.
#[derive(Debug, Clone, Copy)]
pub struct Party<'a> {
    /// The id that tells its buckets apart.
    pub id: &'a str,
    /// The name that people know it by, and patterns are for.
    pub name: &'a str,
}

impl SharedLimits {
    /// Compiles the limits.
    ///
    /// # Errors
    /// Which of them makes no sense, and why.
    pub fn new(all: &[SharedLimit]) -> Result<Self, String> {
        let one = |(index, one): (usize, &SharedLimit)| {
            let mut limited = Limited::new(&one.rule, "shared limit")?;
            let place = format!("{:?} {:?} {index}", one.by, one.matching);
            limited.hash ^= bucket_id("shared limit", &place);
            let matching = one.matching.as_deref().map(Pattern::new);
            Ok(Shared { by: one.by, matching, limited })
        };
        Ok(SharedLimits(all.iter().enumerate().map(one).collect::<Result<_, String>>()?))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what a request says counts for one of them.
    #[must_use]
    pub fn depend_on_content(&self) -> bool {
        self.0.iter().any(|one| one.limited.depends_on_content())
    }

    /// Puts those on a bill that are for requests of these parties. `parties` calls with each that a request
    /// has of a kind: several tags, one team, perhaps no user.
    pub fn charge(
        &self,
        bill: &mut Bill<'_>,
        parties: impl Fn(LimitBy, &mut dyn FnMut(Party<'_>)),
    ) {
        for Shared { by, matching, limited } in &self.0 {
            parties(*by, &mut |party| {
                if matching.as_ref().is_none_or(|pattern| pattern.matches(party.name)) {
                    bill.add_limit(limited, whose(*by), owner_hash(party.id));
                }
            });
        }
    }
}

fn whose(by: LimitBy) -> Whose {
    match by {
        LimitBy::Key => Whose::Key,
        LimitBy::User => Whose::User,
        LimitBy::Team => Whose::Team,
        LimitBy::Project => Whose::Project,
        LimitBy::Organisation => Whose::Organisation,
        LimitBy::Model => Whose::Model,
        LimitBy::Ip => Whose::Address,
        LimitBy::Tag => Whose::Tag,
    }
}
