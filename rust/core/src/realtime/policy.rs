//! What may pass of a client's events: nothing that would widen what its key may use.

use super::events::{Event, Named, Role};
use crate::access;
use crate::call::Ticket;
use crate::error::{Class, Error};
use crate::files::named;
use crate::gate::{Shop, shown};
use crate::json;
use crate::upload::Edits;
use std::cell::RefCell;

/// What becomes of a client's event.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// It goes on as it came.
    Pass,
    /// This goes on in its place.
    Instead(Vec<u8>),
    /// It does not go on; the client gets this event.
    Refused(Vec<u8>),
}

/// The rules of one session.
pub struct Policy<'a> {
    /// Whose limits count.
    pub shop: &'a Shop,
    /// Who speaks, to which group.
    pub ticket: &'a Ticket,
    /// The deployment's model, as its upstream knows it.
    pub model: &'a str,
    /// The deployment's place in the plan.
    pub deployment: usize,
    /// For ids of our own events.
    pub rng: RefCell<fastrand::Rng>,
}

impl Policy<'_> {
    /// Judges an event.
    #[must_use]
    pub fn judge(&self, text: &[u8]) -> Verdict {
        let Some(event) = Event::read(text) else {
            let message = "The event is not one JSON object, or names something twice.";
            return self.refused(&Error::new(Class::InvalidRequest, message), None);
        };
        match self.edits(&event, text) {
            Ok(edits) if edits.is_empty() => Verdict::Pass,
            Ok(edits) => Verdict::Instead(json::splice(text, &edits)),
            Err(error) => self.refused(&error, event.id.as_deref()),
        }
    }

    /// What is to be changed in an event so that its upstream understands the models in it.
    fn edits(&self, event: &Event, text: &[u8]) -> Result<Edits, Error> {
        if event.is_costly {
            self.shop.check_tokens(&self.ticket.key)?;
        }
        if self.ticket.plan.own_files_only && !named::ids_in(text).is_empty() {
            let message = "Files that an event names by their ids are not served in sessions.";
            return Err(Error::new(Class::NotSupported, message).with_param("file_id"));
        }
        let mut edits = Edits::new();
        for named in &event.models {
            match named.role {
                Role::Own => self.check_own(named)?,
                Role::Listener => self.check_listener(named)?,
            }
            if named.role == Role::Own && named.model.as_deref() != Some(self.model) {
                edits.push((named.at.clone(), json::quote(self.model)));
            }
        }
        edits.sort_by_key(|(range, _)| range.start);
        Ok(edits)
    }

    /// A session keeps the model that it was opened with, by whatever name.
    fn check_own(&self, named: &Named) -> Result<(), Error> {
        let Some(name) = &named.model else { return Err(no_text()) };
        let Ticket { plan, key, group, .. } = self.ticket;
        let meaning = key.map().meaning(name);
        let leads_here = plan.resolve(&meaning).is_some_and(|found| {
            let routed = plan.deployments[self.deployment].routed_model(found.matched);
            found.group == *group && routed == self.model && key.may_use(&meaning)
        });
        if leads_here || name == self.model {
            return Ok(());
        }
        let message = format!(
            "The session's model cannot become {}: open another session for it.",
            shown(name)
        );
        Err(Error::new(Class::PermissionDenied, message).with_param("session.model"))
    }

    /// The model that writes down what is said is named as the provider names it; a key that may not use
    /// every model may use this one only if that name is among its own.
    fn check_listener(&self, named: &Named) -> Result<(), Error> {
        let Some(name) = &named.model else { return Err(no_text()) };
        if self.ticket.key.may_use(&self.ticket.key.map().meaning(name)) {
            return Ok(());
        }
        let message = format!("The key may not use the model {}.", shown(name));
        Err(Error::new(Class::PermissionDenied, message).with_param("transcription.model"))
    }

    /// The event that tells a client of an error, as OpenAI words it.
    fn refused(&self, error: &Error, of: Option<&str>) -> Verdict {
        let row = error.class.row();
        let id = access::new_request_id(&mut self.rng.borrow_mut()).replacen("req_", "event_", 1);
        let event = serde_json::json!({
            "type": "error",
            "event_id": id,
            "error": {
                "type": row.kind, "code": row.code, "message": error.message,
                "param": error.param, "event_id": of,
            },
        });
        Verdict::Refused(event.to_string().into_bytes())
    }
}

fn no_text() -> Error {
    Error::new(Class::InvalidRequest, "A model must be named by a text.").with_param("model")
}

#[cfg(test)]
mod tests;
