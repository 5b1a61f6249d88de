//! What is in a file, passed on as it comes.

use super::serve::{self, answer_of};
use crate::error::{Class, Result};
use crate::relay::{Asking, Question};
use crate::session::{After, Asked, CLIENT_GONE, Session};
use crate::stream::Outgoing;
use crate::upstream::Response;
use crate::visit::{Answer, Visit};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;

/// An upstream's reply whose body is still coming, or one that says why there is none.
pub(super) enum Flow {
    /// The content.
    Coming {
        /// The reply.
        response: Response,
        /// Between two reads.
        idle: Duration,
        /// For all of it.
        deadline: tokio::time::Instant,
    },
    /// What the upstream says instead.
    Refused(Answer),
}

/// Asks for it; the reply's head has come when this returns.
///
/// # Errors
/// Any class of an upstream that failed.
pub(super) async fn fetch(asking: Asking<'_>, question: Question<'_>) -> Result<Flow> {
    let deadline = tokio::time::Instant::now() + asking.0.total;
    let response = asking.open(question).await?;
    if (200..300).contains(&response.status) {
        return Ok(Flow::Coming { response, idle: asking.0.idle, deadline });
    }
    asking.settle(response, deadline).await.map(|said| Flow::Refused(answer_of(said)))
}

/// Passes it to the client. The next read waits until the client has taken the last one.
pub(super) async fn pass<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    visit: &mut Visit,
    flow: Flow,
    asked: &Asked,
) -> After {
    let edge = session.edge.clone();
    let (response, idle, deadline) = match flow {
        Flow::Refused(answer) => return serve::send(session, visit, &answer, asked).await,
        Flow::Coming { response, idle, deadline } => (response, idle, deadline),
    };
    let Response { status, headers, body: mut rest } = response;
    visit.begin(session, status, &headers, asked);
    if let Some(name) = headers.get("content-disposition") {
        session.head.header("content-disposition", name);
    }
    let length = rest.remaining().and_then(|left| usize::try_from(left).ok());
    let (mut out, keep_alive) = Outgoing::begin(session, length, asked);
    // The head goes out at once: an empty file has nothing else.
    let mut sent = out.send(session, &[]).await.is_ok();
    let failure = loop {
        if !sent {
            break Some(CLIENT_GONE);
        }
        let until = deadline.min(tokio::time::Instant::now() + idle);
        let started = Instant::now();
        let read = tokio::select! {
            biased;
            read = timeout_at(until, rest.chunk()) => read,
            () = session.connection.gone() => break Some(CLIENT_GONE),
        };
        visit.upstream += started.elapsed();
        match read {
            Ok(Some(Ok(bytes))) => {
                sent = matches!(timeout_at(deadline, out.send(session, &bytes)).await, Ok(Ok(())));
            }
            Ok(None) if out.finish(session).await.is_ok() => break None,
            Ok(None) => break Some(CLIENT_GONE),
            Ok(Some(Err(()))) => break Some(Class::UpstreamProtocol.row().status),
            Err(_) => break Some(Class::UpstreamTimeout.row().status),
        }
    };
    visit.held.note_bytes(out.sent());
    match failure {
        Some(CLIENT_GONE) => return serve::left(visit, &edge, asked),
        Some(failed) => visit.record(&edge, asked, failed),
        None => visit.record(&edge, asked, status),
    }
    match (failure, keep_alive) {
        // Of a body of bytes nothing can be said midway but that it is not whole.
        (Some(_), _) => After::Cut,
        (None, true) => After::Keep,
        (None, false) => After::Close,
    }
}
