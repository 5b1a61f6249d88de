//! What a token's claims name: the claims of each issuer are its own, so the configuration says where each thing lies.

use super::claims::Place;
use crate::snapshot;
use serde::Serialize;
use serde_json::{Map, Value};

/// Values that are taken from one claim.
const MAX_VALUES: usize = 256;
/// Characters of one.
const MAX_CHARACTERS: usize = 512;

/// One thing in the words of the issuer; the first of several that is known counts.
pub type Subject = Vec<String>;

/// What claims name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Organisations, the first that is known counts.
    pub organisation: Subject,
    /// Teams.
    pub team: Subject,
    /// Projects.
    pub project: Subject,
    /// Users.
    pub user: Subject,
    /// Service accounts.
    pub service_account: Subject,
    /// Names and patterns of models that its holder may use; `None`: the token does not narrow them.
    pub models: Option<Vec<String>>,
    /// Tags of its holder's requests.
    pub tags: Vec<String>,
}

/// Where the claims lie that name things.
pub struct Mapping {
    organisation: Source,
    team: Source,
    project: Source,
    user: Source,
    service_account: Source,
    models: Option<Place>,
    tags: Option<Place>,
}

struct Source {
    place: Option<Place>,
    default: Option<String>,
}

impl Source {
    fn read(&self, claims: &Map<String, Value>) -> Subject {
        let found = self.place.as_ref().and_then(|place| place.find(claims));
        let mut names = found.map(texts).unwrap_or_default();
        if names.is_empty() {
            names.extend(self.default.clone());
        }
        names
    }
}

impl Mapping {
    /// As it is configured.
    #[must_use]
    pub fn new(claims: snapshot::JwtClaims, defaults: snapshot::JwtDefaults) -> Self {
        let source = |place: Option<String>, default: Option<String>| Source {
            place: place.map(Place::new),
            default,
        };
        Mapping {
            organisation: source(claims.organisation, defaults.organisation),
            team: source(claims.team, defaults.team),
            project: source(claims.project, defaults.project),
            user: source(claims.user, defaults.user),
            service_account: source(claims.service_account, None),
            models: claims.models.map(Place::new),
            tags: claims.tags.map(Place::new),
        }
    }

    /// What these claims name.
    #[must_use]
    pub fn read(&self, claims: &Map<String, Value>) -> Named {
        let list = |place: &Option<Place>| Some(place.as_ref()?.find(claims).map(texts));
        Named {
            organisation: self.organisation.read(claims),
            team: self.team.read(claims),
            project: self.project.read(claims),
            user: self.user.read(claims),
            service_account: self.service_account.read(claims),
            // A claim that is configured and missing allows none: leaving it out must widen nothing.
            models: list(&self.models).map(Option::unwrap_or_default),
            tags: list(&self.tags).flatten().unwrap_or_default(),
        }
    }
}

/// The texts of a claim: of one, or of a list; numbers are ids too.
pub(super) fn texts(value: &Value) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    };
    let all = match value {
        Value::Array(values) => values.iter().take(MAX_VALUES).filter_map(one).collect(),
        _ => one(value).into_iter().collect::<Vec<_>>(),
    };
    let sound = |text: &String| {
        !text.is_empty() && text.len() <= MAX_CHARACTERS && !text.chars().any(char::is_control)
    };
    all.into_iter().filter(sound).collect()
}
