//! A file on its way from a client to a provider's account, passed on as it comes.

use super::form::{AsItIs, FileForm, Passage};
use super::lines::Lines;
use super::remembered::{Remembered, path_of};
use super::requests::Checking;
use super::serve::{self, answer_of};
use super::whereabouts::{self, Named};
use crate::access;
use crate::connection::{Connection, Incoming};
use crate::dispatch::Extra;
use crate::error::{Class, Error, Result};
use crate::h1::{Patience, Source};
use crate::http1::Head;
use crate::multipart;
use crate::plan::Deployment;
use crate::relay::{Asking, Said};
use crate::session::{After, Asked, Session};
use crate::store::shelf::Kind;
use crate::upstream::{Response, Upload, UploadFailure};
use crate::visit::{Answer, Visit};
use bytes::Bytes;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};

/// The purpose whose files hold requests.
const BATCH: &str = "batch";

/// Why there is no answer to an upload.
enum Trouble {
    /// The client has left.
    Gone,
    /// What is to be told to the client.
    Told(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Told(error)
    }
}

/// Answers a request that brings a file; its key was checked.
pub(super) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    mut visit: Visit,
    head: &Head,
    asked: &mut Asked,
) -> After {
    let edge = session.edge.clone();
    let (mut named, incoming, mut form) = match begin(&session.connection, head) {
        Ok(begun) => begun,
        Err(error) => {
            visit.record(&edge, asked, error.class.row().status);
            return session.refuse_unread(asked, head, &error).await;
        }
    };
    let mut arriving = Arriving { connection: &mut session.connection, incoming };
    let purpose = arriving.read_fields(&mut form, &mut named).await;
    asked.started = Instant::now();
    asked.keep_alive &= !edge.is_stopping();
    let _in_flight = edge.in_flight();
    let request_id = asked.request_id.clone();
    let extra = access::passed_on(head, &request_id, asked.dialect);
    let answer = match purpose {
        Ok(purpose) => {
            let sending = Sending { visit: &mut visit, form, purpose, extra: &extra };
            arriving.send(sending, &named, &edge, &mut asked.started).await
        }
        Err(error) => Err(error.into()),
    };
    let is_complete = arriving.incoming.is_complete();
    visit.held.note_bytes(arriving.incoming.received());
    asked.keep_alive &= is_complete && !edge.is_stopping();
    let after = match answer {
        Err(Trouble::Gone) => return serve::left(&visit, &edge, asked),
        Ok(answer) => serve::send(session, &visit, &answer, asked).await,
        Err(Trouble::Told(error)) => {
            visit.record(&edge, asked, error.class.row().status);
            session.refuse(asked, &error).await
        }
    };
    // What the client is still sending is no request.
    if after == After::Close && !is_complete { After::CloseUnread } else { after }
}

/// Checks what the head alone tells.
fn begin<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &Connection<S>,
    head: &Head,
) -> Result<(Named, Incoming, FileForm)> {
    let boundary = multipart::boundary(head.header("content-type"))?;
    let incoming = Incoming::new(head, connection.limits().max_upload_bytes)?;
    Ok((Named::of(head)?, incoming, FileForm::new(boundary)))
}

/// A body that is still coming.
struct Arriving<'a, S> {
    connection: &'a mut Connection<S>,
    incoming: Incoming,
}

/// What is sent on.
struct Sending<'a> {
    visit: &'a mut Visit,
    form: FileForm,
    purpose: String,
    extra: &'a Extra<'a>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Arriving<'_, S> {
    /// Reads until it is known what the file is for and where it is to go; the purpose.
    async fn read_fields(&mut self, form: &mut FileForm, named: &mut Named) -> Result<String> {
        let most = usize::try_from(self.connection.limits().max_held_bytes).unwrap_or(usize::MAX);
        loop {
            let (purpose, model) = (form.field("purpose")?, form.field("model")?);
            let is_all = form.is_complete() || form.held() >= most;
            if let Some(purpose) = purpose.filter(|_| model.is_some() || is_all) {
                named.model = model;
                return Ok(purpose);
            }
            if form.is_complete() {
                return Err(missing("The field `purpose` of the form is missing."));
            }
            if is_all {
                return Err(too_late(most));
            }
            match self.connection.piece(&mut self.incoming).await? {
                Some(piece) => form.push(&piece)?,
                None => form.finish()?,
            }
        }
    }

    /// Sends the form on, and remembers what came of it.
    async fn send(
        &mut self,
        sending: Sending<'_>,
        named: &Named,
        edge: &std::rc::Rc<crate::edge::Edge>,
        arrived: &mut Instant,
    ) -> Result<Answer, Trouble> {
        let Sending { visit, mut form, purpose, extra } = sending;
        let Some(key) = visit.key.clone() else { return Err(Trouble::Gone) };
        let deployment = whereabouts::choose(&visit.plan, &key, named)?;
        visit.deployment = Some(deployment);
        let own = Remembered { edge: edge.clone(), plan: visit.plan.clone(), key };
        let to = &own.plan.deployments[deployment];
        form.settle();
        let started = Instant::now();
        let passed = match requests(&own, &purpose, to)? {
            None => self.pass(form, &mut AsItIs, to, extra, arrived).await.map(|said| (said, None)),
            Some(checking) => {
                let most = self.connection.limits().max_body_bytes;
                let mut lines = Lines::new(checking, usize::try_from(most).unwrap_or(usize::MAX));
                let said = self.pass(form, &mut lines, to, extra, arrived).await;
                said.map(|said| (said, Some(lines.rewrite.into_known())))
            }
        };
        visit.upstream = started.elapsed();
        let (said, known) = passed?;
        if said.is_well() {
            own.add(Kind::File, to, &said, known).await?;
        }
        Ok(answer_of(said))
    }

    /// Sends the form; what the upstream says to it.
    async fn pass(
        &mut self,
        mut form: FileForm,
        passage: &mut impl Passage,
        to: &Deployment,
        extra: &Extra<'_>,
        arrived: &mut Instant,
    ) -> Result<Said, Trouble> {
        let asking = Asking(to);
        if to.signer.is_some() {
            // A signature is made over a body that is known.
            return Err(asking.fail(Class::NotSupported, "takes no files").into());
        }
        let path = path_of(to, Kind::File)?;
        let content_type = form.content_type();
        let mut extra = extra.to_vec();
        extra.push(("content-type", content_type.as_bytes()));
        let ours = form.ours();
        let first = form.take(passage)?;
        let length = match form.is_complete() {
            true => Some(first.len() as u64),
            false => passage.length(self.incoming.length().map(|length| length - ours)),
        };
        let fixed = to.headers_but_type();
        let upload =
            Upload { method: "POST", path: &path, fixed, extra: &extra, length, sent: None };
        let deadline = tokio::time::Instant::now() + to.total;
        let patience = Patience { idle: to.idle, first_byte: to.first_byte, deadline };
        let mut pieces =
            Pieces { arriving: self, form, passage, first: Some(first), trouble: None, arrived };
        let sent = to.origin.upload(&upload, &mut pieces, patience).await;
        let trouble = pieces.trouble.take();
        let response = sent.map_err(|failure| match failure {
            UploadFailure::Send(error) => asking.unsent(&error).into(),
            UploadFailure::Late => {
                asking.fail(Class::UpstreamTimeout, "did not answer in time").into()
            }
            UploadFailure::Client => trouble.unwrap_or(Trouble::Gone),
        })?;
        self.settle(asking, response, deadline).await
    }

    /// Reads the rest of the reply, unless the client leaves.
    async fn settle(
        &mut self,
        asking: Asking<'_>,
        response: Response,
        deadline: tokio::time::Instant,
    ) -> Result<Said, Trouble> {
        tokio::select! {
            biased;
            said = asking.settle(response, deadline) => Ok(said?),
            () = self.connection.gone() => Err(Trouble::Gone),
        }
    }
}

/// What is sent: what was held, then what comes.
struct Pieces<'p, 'a, S, P> {
    arriving: &'p mut Arriving<'a, S>,
    form: FileForm,
    passage: &'p mut P,
    first: Option<Bytes>,
    trouble: Option<Trouble>,
    arrived: &'p mut Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin, P: Passage> Pieces<'_, '_, S, P> {
    /// The next bytes to send; `None` at the end.
    async fn more(&mut self) -> Result<Option<Bytes>> {
        loop {
            let Arriving { connection, incoming } = &mut *self.arriving;
            let Some(piece) = connection.piece(incoming).await? else {
                self.form.finish()?;
                return Ok(None);
            };
            *self.arrived = Instant::now();
            self.form.push(&piece)?;
            let ready = self.form.take(self.passage)?;
            if !ready.is_empty() {
                return Ok(Some(ready));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, P: Passage> Source for Pieces<'_, '_, S, P> {
    async fn next(&mut self) -> Option<Result<Bytes, ()>> {
        if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
            return Some(Ok(first));
        }
        match self.more().await {
            Ok(Some(piece)) => Some(Ok(piece)),
            Ok(None) => None,
            Err(error) => {
                self.trouble = Some(Trouble::Told(error));
                Some(Err(()))
            }
        }
    }

    async fn gone(&mut self) {
        self.arriving.connection.gone().await;
        self.trouble = Some(Trouble::Gone);
    }
}

/// What checks the lines of a file, if it is one of requests.
///
/// # Errors
/// `InvalidRequest` for a purpose that somebody might take for that of such a file.
fn requests<'a>(
    own: &'a Remembered,
    purpose: &str,
    to: &Deployment,
) -> Result<Option<Checking<'a>>> {
    if purpose != BATCH {
        return match purpose.trim().eq_ignore_ascii_case(BATCH) {
            false => Ok(None),
            true => Err(missing("The purpose is written `batch`.")),
        };
    }
    let none = || Asking(to).fail(Class::NotSupported, "keeps no files");
    let account = to.files.clone().ok_or_else(none)?;
    Ok(Some(Checking::new(own, account)))
}

fn missing(message: &str) -> Error {
    Error::new(Class::InvalidRequest, message).with_param("purpose")
}

fn too_late(most: usize) -> Error {
    let message = format!(
        "The field `purpose` of the form must come before its file, or within its first {most} bytes."
    );
    Error::new(Class::RequestTooLarge, message).with_param("purpose")
}
