//! Everything that is not a native endpoint goes to Python, on a Unix socket, with a checked head.

use crate::error::{Class, Error};
use crate::http1::Head;
use crate::reply::Body;
use crate::session::{After, Asked, Session};
use crate::upstream;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use http_body_util::BodyExt;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

/// Proves to the control plane that a request came through the edge.
pub const EDGE_HEADER: &str = "x-llmgw-edge";
/// How long the control plane may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Client headers that the control plane gets to see.
const PASSED_ON: [&str; 9] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-litellm-api-key",
    "content-type",
    "accept",
    "if-none-match",
    "traceparent",
];
/// Its headers that clients do not get to see: framing is ours.
const HELD_BACK: [&str; 5] =
    ["connection", "content-length", "transfer-encoding", "date", "server"];

/// Hands a request over and passes the reply back.
pub async fn forward<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    head: &Head,
    asked: &Asked,
) -> After {
    let body = match session.connection.body(head).await {
        Ok(body) => body,
        Err(error) => {
            session.refuse(asked, &error).await;
            return After::CloseUnread;
        }
    };
    let reply = tokio::select! {
        biased;
        reply = timeout(TIMEOUT, ask(session.edge.clone(), head, asked, body)) => reply,
        () = session.connection.gone() => return After::Cut,
    };
    match reply {
        Ok(Ok((status, headers, body))) => {
            session.head.begin(status, &asked.request_id);
            for (name, value) in &headers {
                if !HELD_BACK.contains(&name.as_str()) && name != "x-request-id" {
                    session.head.header(name.as_str(), value.as_bytes());
                }
            }
            if head.method() == "HEAD" {
                let head = session.head.end(Body::Length(body.len()), asked.keep_alive);
                let sent = session.connection.write(head, &[]).await.is_ok();
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

async fn ask(
    edge: std::rc::Rc<crate::edge::Edge>,
    head: &Head,
    asked: &Asked,
    body: Bytes,
) -> Result<(u16, HeaderMap, Bytes), Error> {
    let unreachable =
        |_| Error::new(Class::InternalError, "The control plane could not be reached.");
    let method = Method::from_bytes(head.method().as_bytes())
        .map_err(|_| Error::new(Class::InvalidRequest, "The method is not one that HTTP has."))?;
    let uri: Uri = format!("http://control{}", head.target())
        .parse()
        .map_err(|_| Error::new(Class::InvalidRequest, "The request target is not a valid URL."))?;
    let mut headers = HeaderMap::new();
    let passed = PASSED_ON.iter().filter_map(|&name| Some((name, head.header(name)?)));
    let own =
        [(EDGE_HEADER, edge.secret.as_bytes()), ("x-request-id", asked.request_id.as_bytes())];
    for (name, value) in passed.chain(own) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let response = upstream::send(&edge.control, method, uri, headers, body)
        .await
        .map_err(|e| unreachable(drop(e)))?;
    let (parts, rest) = response.into_parts();
    let body = rest.collect().await.map_err(|e| unreachable(drop(e)))?.to_bytes();
    Ok((parts.status.as_u16(), parts.headers, body))
}

#[cfg(test)]
mod tests;
