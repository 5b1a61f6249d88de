//! One request of a file for batches: checked as if it had come by itself, and written for the provider.

use super::lines::Rewrite;
use super::named;
use super::remembered::Remembered;
use super::whereabouts;
use crate::error::{Class, Error, Result};
use crate::gate::check_endpoint;
use crate::json::{self, Object};
use crate::responses::account::Account;
use crate::responses::shown;
use crate::snapshot::{Operation, PiiMode};
use crate::store::shelf::Requests;
use std::ops::Range;

/// What a line may ask for: bodies of which we know what a model reads in them.
const SERVED: [Operation; 6] = [
    Operation::ChatCompletions,
    Operation::Completions,
    Operation::Embeddings,
    Operation::Responses,
    Operation::Moderations,
    Operation::ImagesGenerations,
];
/// Fields that lead to what the provider keeps: whose that is would have to be asked.
const LEADING_ELSEWHERE: [&str; 2] = ["previous_response_id", "conversation"];
/// Different models that one file may name.
const MOST_MODELS: usize = 64;

/// Checks every request of a file, and notes what is known of them all.
pub(super) struct Checking<'a> {
    own: &'a Remembered,
    account: Account,
    operation: Option<Operation>,
    known: Requests,
}

impl<'a> Checking<'a> {
    /// For a file of this client's that is to lie at this account.
    pub(super) fn new(own: &'a Remembered, account: Account) -> Self {
        let guarded = own.plan.pii == Some(PiiMode::Block);
        let known = Requests { guarded, ..Requests::default() };
        Checking { own, account, operation: None, known }
    }

    /// What is known of the requests that have passed.
    pub(super) fn into_known(self) -> Requests {
        self.known
    }

    /// The endpoint, which has to be the same for all: a batch is for one.
    fn note_operation(&mut self, url: &str) -> Result<Operation> {
        let operation = operation_of(self.own, url)?;
        if *self.operation.get_or_insert(operation) != operation {
            let message = "Its `url` is not that of the lines before it.";
            return Err(Error::new(Class::InvalidRequest, message));
        }
        operation.name().clone_into(&mut self.known.operation);
        Ok(operation)
    }

    /// Where the model of a request leads; its name there.
    fn note_model(&mut self, model: &str) -> Result<String> {
        let Remembered { plan, key, .. } = self.own;
        let leading = whereabouts::lead(plan, key, model, &self.account)?;
        if !self.known.models.contains(&leading.name) {
            if self.known.models.len() >= MOST_MODELS {
                let message = format!("The file names more than {MOST_MODELS} models.");
                return Err(Error::new(Class::InvalidRequest, message));
            }
            self.known.models.push(leading.name);
        }
        Ok(leading.routed)
    }
}

impl Rewrite for Checking<'_> {
    fn line(&mut self, line: &[u8]) -> Result<Vec<u8>> {
        let request = json::parse_object(line)?;
        let url = text(line, &request, "url")?;
        let operation = self.note_operation(&url)?;
        let range = request.get(line, "body").ok_or_else(|| missing("body"))?;
        let body = &line[range.clone()];
        let object = json::parse_object(body)?;
        for name in LEADING_ELSEWHERE {
            if object.get(body, name).is_some_and(|value| &body[value] != b"null") {
                let message = format!("The field `{name}` is not served in batches.");
                return Err(Error::new(Class::NotSupported, message));
            }
        }
        if self.own.plan.own_files_only && !named::ids(operation, body).is_empty() {
            let message = "Files that a request names by their ids are not served in batches.";
            return Err(Error::new(Class::NotSupported, message));
        }
        let routed = self.note_model(&text(body, &object, "model")?)?;
        let edge = &self.own.edge;
        let desk = &mut edge.desk.borrow_mut();
        edge.shop.inspect(&self.own.plan, desk, operation, body, &object)?;
        let model = object.get(body, "model").ok_or_else(|| missing("model"))?;
        Ok(json::splice(line, &[(shifted(&model, range.start), json::quote(&routed))]))
    }
}

/// What a path of a request in a batch stands for.
///
/// # Errors
/// `NotSupported` if batches of it are not served, `PermissionDenied` if the key may not use it.
pub(super) fn operation_of(own: &Remembered, url: &str) -> Result<Operation> {
    let found = own.plan.routes.get(url).copied().filter(|found| SERVED.contains(found));
    let operation = found.ok_or_else(|| {
        let message = format!("Batches for `{}` are not served.", shown(url));
        Error::new(Class::NotSupported, message)
    })?;
    check_endpoint(&own.key, operation.name())?;
    Ok(operation)
}

/// A text among an object's fields.
///
/// # Errors
/// `InvalidRequest` if there is none.
pub(super) fn text(body: &[u8], object: &Object, name: &str) -> Result<String> {
    let value = object.get(body, name).ok_or_else(|| missing(name))?;
    serde_json::from_slice(&body[value]).map_err(|_| {
        let message = format!("The field `{name}` must be a string.");
        Error::new(Class::InvalidRequest, message)
    })
}

fn missing(name: &str) -> Error {
    Error::new(Class::InvalidRequest, format!("The field `{name}` is missing."))
}

fn shifted(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}
