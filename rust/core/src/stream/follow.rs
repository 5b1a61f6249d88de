//! The events of a response that an upstream keeps, as they come, for a client that watches it again.

use super::course::End;
use super::{Outgoing, after, midway};
use crate::dialect;
use crate::dispatch::Partial;
use crate::error::Class;
use crate::session::{After, Asked, Session};
use crate::sse::{Grammar, Relay};
use llmgw_formats::Kind;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

/// How it went.
pub struct Followed {
    /// What becomes of the client's connection.
    pub after: After,
    /// The class of the failure midway, if there was one.
    pub broken: Option<Class>,
    /// The client left.
    pub client_gone: bool,
}

/// Passes the events to the client; the head has been begun and is ended here. The first of them has the
/// number `first`: an error of ours goes on from there.
pub async fn follow<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    partial: Partial,
    first: u64,
    deployment: &str,
    asked: &Asked,
) -> Followed {
    let (mut out, keep_alive) = Outgoing::begin(session, None, asked);
    let mut relay = Relay::new(Grammar::Responses, false);
    let end = pass(session, partial, &mut relay, &mut out).await;
    let mut last = Vec::new();
    let error = match end {
        End::ClientGone => {
            return Followed { after: After::Cut, broken: None, client_gone: true };
        }
        End::Complete => {
            last.extend_from_slice(&relay.finish());
            // Whoever asks for what comes after the last event gets none, and that is all of it.
            let whole = relay.is_finished() || relay.events() == 0;
            (!whole).then(|| midway(false, deployment))
        }
        End::Broken { timed_out } => Some(midway(timed_out, deployment)),
    };
    if let Some(error) = &error {
        last.clear();
        // Half an event is worth nothing to a client, and would spoil the one that says why.
        if relay.is_spilling() {
            last.extend_from_slice(b"\n\n");
        }
        let number = first.saturating_add(relay.events());
        let dialect = Kind::OpenaiResponses;
        last.extend(dialect::error_event(dialect, error, &asked.request_id, number));
    }
    let broken = error.map(|error| error.class);
    let sent = out.send(session, &last).await.is_ok() && out.finish(session).await.is_ok();
    let after = after(sent, broken.is_none() && keep_alive);
    Followed { after, broken, client_gone: false }
}

/// Passes what comes, until nothing more does.
async fn pass<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    partial: Partial,
    relay: &mut Relay,
    out: &mut Outgoing,
) -> End {
    let Partial { first, mut rest, idle, deadline, .. } = partial;
    let mut ready = relay.push(first);
    loop {
        if !matches!(timeout_at(deadline, out.send(session, &ready)).await, Ok(Ok(()))) {
            return End::ClientGone;
        }
        if relay.is_done() {
            return End::Complete;
        }
        let until = deadline.min(Instant::now() + idle);
        let read = tokio::select! {
            biased;
            read = timeout_at(until, rest.chunk()) => read,
            () = session.connection.gone() => return End::ClientGone,
        };
        ready = match read {
            Ok(Some(Ok(data))) => relay.push(data),
            Ok(None) => return End::Complete,
            Ok(Some(Err(()))) => return End::Broken { timed_out: false },
            Err(_) => return End::Broken { timed_out: true },
        };
    }
}
