//! Everything that is not a native endpoint goes to Python, on a Unix socket, with a checked head.

use crate::access;
use crate::certificate;
use crate::connection::Incoming;
use crate::edge::Edge;
use crate::error::{Class, Error};
use crate::headers::Headers;
use crate::http1::{Framing, Head};
use crate::reply::Body;
use crate::session::{After, Asked, Door, Session};
use crate::upstream::Outgoing;
use bytes::{Bytes, BytesMut};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

/// Proves to the control plane that a request came through the edge.
pub const EDGE_HEADER: &str = "x-llmgw-edge";
/// Tells the control plane the client's address.
pub const CLIENT_HEADER: &str = "x-llmgw-client";
/// How long the control plane may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of a body that is read before anybody is authenticated.
const MOST_BODY: u64 = 64 * 1024;
/// Bytes of a body by which somebody changes what is kept: only of those whose key is known here.
const MOST_ADMIN_BODY: u64 = 1024 * 1024;
/// What such a body's paths begin with, besides the admin API: provisioning, and LiteLLM's own names.
const ADMIN_PREFIXES: [&str; 12] = [
    "/api/",
    "/scim/",
    "/key/",
    "/team/",
    "/user/",
    "/customer/",
    "/end_user/",
    "/organization/",
    "/project/",
    "/budget/",
    "/tag/",
    "/model/",
];
/// Names to it the door that the client came in by, and the host that it asked for.
const DOOR_HEADER: &str = "x-llmgw-door";
const HOST_HEADER: &str = "x-llmgw-host";
/// How long the control plane may still answer once the gateway drains: it has stopped by then, most likely.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Client headers that the control plane gets to see.
const PASSED_ON: [&str; 16] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-litellm-api-key",
    "anthropic-version",
    "content-type",
    "accept",
    "if-none-match",
    "if-match",
    "idempotency-key",
    "cookie",
    "origin",
    "sec-fetch-site",
    "x-llmgw-csrf",
    "traceparent",
];
/// Its headers that clients do not get to see: framing is ours.
const HELD_BACK: [&str; 6] =
    ["x-request-id", "connection", "content-length", "transfer-encoding", "date", "server"];

/// Hands a request over and passes the reply back.
pub async fn forward<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    head: &Head,
    asked: &Asked,
) -> After {
    let body = match read_body(session, head, asked).await {
        Ok(body) => body,
        Err(error) => return session.refuse_and_close(asked, &error).await,
    };
    let door = session.door;
    let stopping = session.edge.stopped();
    let reply = tokio::select! {
        biased;
        reply = timeout(TIMEOUT, ask(session.edge.clone(), head, asked, door, body)) => reply,
        () = session.connection.gone() => return After::Cut,
        () = async { stopping.await; tokio::time::sleep(LAST_WORDS).await } => {
            let error = Error::new(Class::Draining, "The gateway is shutting down.");
            return session.refuse(asked, &error).await;
        }
    };
    match reply {
        Ok(Ok(Answer { status, headers, body })) => {
            session.head.begin(status, &asked.request_id);
            for (name, value) in headers.iter() {
                let lower = name.to_ascii_lowercase();
                if let Ok(name) = std::str::from_utf8(&lower)
                    && !HELD_BACK.contains(&name)
                {
                    session.head.header(name, value);
                }
            }
            let bare = match (head.method(), status) {
                // The length is that of the body which a GET would bring.
                ("HEAD", _) => {
                    let length = headers.text("content-length").and_then(|text| text.parse().ok());
                    Some(Body::Length(length.unwrap_or(0)))
                }
                (_, 204 | 304) => Some(Body::None),
                _ => None,
            };
            if let Some(framing) = bare {
                let head = session.head.end(framing, asked.keep_alive);
                let sent = session.connection.write(head, &[]).await.is_ok()
                    && session.connection.flush().await.is_ok();
                return if sent && asked.keep_alive { After::Keep } else { After::Close };
            }
            session.write_body(asked, &body).await
        }
        Ok(Err(error)) => session.refuse(asked, &error).await,
        Err(_) => {
            let error =
                Error::new(Class::InternalError, "The control plane did not answer in time.");
            session.refuse(asked, &error).await
        }
    }
}

/// The request's body, whole: as much of it as this client may send here.
async fn read_body<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    head: &Head,
    asked: &Asked,
) -> Result<Bytes, Error> {
    let small = matches!(head.framing, Framing::Length(..=MOST_BODY));
    let max =
        if !small && may_send_more(session, head, asked) { MOST_ADMIN_BODY } else { MOST_BODY };
    let mut incoming = Incoming::new(head, max)?;
    let mut body = BytesMut::new();
    while let Some(piece) = session.connection.piece(&mut incoming).await? {
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// Whether it is a path that takes more, and a key that is known. Sessions are known to the control plane
/// only; people send little.
fn may_send_more<S>(session: &Session<S>, head: &Head, asked: &Asked) -> bool {
    let shop = &session.edge.shop;
    let is_known = || {
        let (plan, shown) = (shop.plan().ok()?, access::credential(head).ok()?);
        shop.authenticate(&plan, shown, asked.sender()).ok()
    };
    ADMIN_PREFIXES.iter().any(|prefix| head.path().starts_with(prefix)) && is_known().is_some()
}

async fn ask(
    edge: Rc<Edge>,
    head: &Head,
    asked: &Asked,
    door: Door,
    body: Bytes,
) -> Result<Answer, Error> {
    let unreachable =
        || Error::new(Class::InternalError, "The control plane could not be reached.");
    let passed = PASSED_ON.iter().filter_map(|&name| Some((name, head.header(name)?)));
    let own = [
        (EDGE_HEADER, edge.secret.as_bytes()),
        ("x-request-id", asked.request_id.as_bytes()),
        (DOOR_HEADER, door.name().as_bytes()),
        (HOST_HEADER, head.header("host").unwrap_or_default()),
    ];
    let client = asked.address.map(|address| address.to_string());
    let client = client.iter().map(|address| (CLIENT_HEADER, address.as_bytes()));
    let certificate = asked.certificate.as_ref().map(|one| one.to_text());
    let certificate = certificate.iter().map(|text| (certificate::HEADER, text.as_bytes()));
    let extra: Vec<(&'static str, &[u8])> =
        passed.chain(own).chain(client).chain(certificate).collect();
    let (method, path) = (head.method(), head.target());
    let request = Outgoing { method, path, fixed: "", extra: &extra, body, sent: None };
    let mut response = edge.control.send(request).await.map_err(|_| unreachable())?;
    let mut body = BytesMut::new();
    if method != "HEAD" {
        while let Some(chunk) = response.body.chunk().await {
            body.extend_from_slice(&chunk.map_err(|()| unreachable())?);
        }
    }
    Ok(Answer { status: response.status, headers: response.headers, body: body.freeze() })
}

/// What the control plane said.
struct Answer {
    status: u16,
    headers: Headers,
    body: Bytes,
}

#[cfg(test)]
mod tests;
