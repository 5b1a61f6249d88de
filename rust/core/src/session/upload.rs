//! A form with files: read up to its model, admitted, and passed on as it comes.

use super::{After, Asked, CLIENT_GONE, Ending, Session};
use crate::access::Route;
use crate::call::Call;
use crate::caller::Caller;
use crate::connection::Incoming;
use crate::dispatch::{Trail, Trouble, Uploading, dispatch_upload};
use crate::error::{Class, Error, Result};
use crate::gate::{FormArrival, check_endpoint};
use crate::http1::Head;
use crate::plan::{Key, Plan};
use crate::snapshot::PiiMode;
use crate::translate::Chat;
use crate::upload::{Edits, Passing};
use crate::{access, multipart};
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};

/// The fields of a form that count: where it goes, and what its model reads.
const FIELDS: &[&str] = &["model", "prompt"];

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Answers a request whose body is a form.
    pub(super) async fn upload(
        &mut self,
        plan: Arc<Plan>,
        head: &Head,
        route: &Route,
        asked: &mut Asked,
    ) -> After {
        let operation = route.operation;
        let (key, caller, mut incoming, mut passing) =
            match self.begin_form(&plan, head, route, asked) {
                Ok(begun) => begun,
                Err(error) => {
                    self.record_refusal(operation, None, None, &error, asked);
                    return self.refuse_unread(asked, head, &error).await;
                }
            };
        let model = match self.find_model(&plan, route, &mut incoming, &mut passing).await {
            Ok(model) => model,
            Err(error) => {
                self.record_refusal(operation, Some(&key), None, &error, asked);
                return self.refuse_and_close(asked, &error).await;
            }
        };
        asked.started = Instant::now();
        asked.keep_alive &= !self.edge.is_stopping();
        let edge = self.edge.clone();
        let _in_flight = edge.in_flight();
        let holder = key.clone();
        let texts: Vec<&[u8]> = passing.form().field("prompt").into_iter().collect();
        let arrival = FormArrival { caller, operation, model: &model, texts: &texts };
        let admitted = edge.shop.admit_form(plan, key, &mut edge.desk.borrow_mut(), arrival);
        match admitted {
            Ok(call) => self.pass_form(&call, head, incoming, passing, asked).await,
            Err(error) => {
                self.record_refusal(operation, Some(&holder), Some(&model), &error, asked);
                self.refuse_form(asked, &incoming, &error).await
            }
        }
    }

    /// Sends an admitted form on and answers with what comes back.
    async fn pass_form(
        &mut self,
        call: &Call,
        head: &Head,
        incoming: Incoming,
        passing: Passing,
        asked: &mut Asked,
    ) -> After {
        let edge = self.edge.clone();
        let request_id = asked.request_id.clone();
        let content_type = passing.content_type();
        let mut extra = access::passed_on(head, &request_id, asked.dialect);
        extra.push(("content-type", content_type.as_bytes()));
        let mut uploading = Uploading {
            connection: &mut self.connection,
            incoming,
            passing,
            edits: Edits::new(),
            extra: &extra,
            trouble: None,
            arrived: None,
        };
        let chat = Chat::new(call, &request_id);
        let (mut trail, mut rng) = (Trail::default(), edge.desk.borrow_mut().rng.fork());
        let outcome =
            dispatch_upload(&edge.shop, &chat, &mut uploading, &mut rng, &mut trail).await;
        let Uploading { incoming, trouble, arrived, .. } = uploading;
        call.held.note_bytes(incoming.received());
        // Time is counted from the last byte, as with every other request.
        asked.started = arrived.map_or_else(Instant::now, Into::into);
        asked.keep_alive &= incoming.is_complete();
        let after = match trouble {
            None => self.conclude(&chat, outcome, &mut trail, asked).await,
            Some(Trouble::Gone) => {
                let ending = Ending { status: CLIENT_GONE, ..Ending::default() };
                self.finish(call, &mut trail, asked, ending);
                return After::Cut;
            }
            Some(Trouble::Faulty(error)) => {
                let status = error.class.row().status;
                self.finish(call, &mut trail, asked, Ending { status, ..Ending::default() });
                return self.refuse_form(asked, &incoming, &error).await;
            }
        };
        // What the client is still sending is no request.
        if after == After::Close && !incoming.is_complete() { After::CloseUnread } else { after }
    }

    /// Checks what the head alone tells.
    fn begin_form(
        &self,
        plan: &Plan,
        head: &Head,
        route: &Route,
        asked: &Asked,
    ) -> Result<(Arc<Key>, Caller, Incoming, Passing)> {
        let (key, caller) = self.identify(plan, access::credential(head)?, head, asked)?;
        check_endpoint(&key, route.operation.name())?;
        let boundary = multipart::boundary(head.header("content-type"))?;
        let limits = self.connection.limits();
        let incoming = Incoming::new(head, limits.max_upload_bytes)?;
        let mut passing = Passing::new(boundary, FIELDS, limits.max_held_bytes);
        if plan.own_files_only {
            passing.bring_its_files();
        }
        Ok((key, caller, incoming, passing))
    }

    /// Reads until the model is known. Where personal data is not to leave, all fields must be known.
    async fn find_model(
        &mut self,
        plan: &Plan,
        route: &Route,
        incoming: &mut Incoming,
        passing: &mut Passing,
    ) -> Result<String> {
        let all = plan.pii.is_some_and(|mode| mode == PiiMode::Block);
        loop {
            let form = passing.form();
            if (!all || form.is_complete())
                && let Some(model) = form.field("model")
            {
                let text = String::from_utf8(model.to_vec());
                let invalid = |_| missing("The field `model` must be text.");
                return route.model.clone().map_or_else(|| text.map_err(invalid), Ok);
            }
            if let Some(model) = &route.model
                && (form.is_complete() || (passing.is_full() && !all))
            {
                passing.add_model();
                return Ok(model.clone());
            }
            if passing.is_full() {
                return Err(too_late(self.connection.limits().max_held_bytes));
            }
            match self.connection.piece(incoming).await? {
                Some(piece) => passing.push(&piece)?,
                None => {
                    form.finish()?;
                    if route.model.is_none() {
                        return Err(missing("The field `model` is missing."));
                    }
                }
            }
        }
    }

    async fn refuse_form(&mut self, asked: &Asked, incoming: &Incoming, error: &Error) -> After {
        if incoming.is_complete() {
            return self.refuse(asked, error).await;
        }
        self.refuse_and_close(asked, error).await
    }
}

fn missing(message: &str) -> Error {
    Error::new(Class::InvalidRequest, message).with_param("model")
}

fn too_late(most: u64) -> Error {
    let message = format!(
        "The fields of the form must come before its files, or within its first {most} bytes."
    );
    Error::new(Class::RequestTooLarge, message).with_param("model")
}
