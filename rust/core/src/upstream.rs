//! One send to an upstream: HTTP/1.1 or, where TLS agrees on it, HTTP/2; connections are kept by origin.

mod open;
mod upload;

use crate::dial::{Address, Stream};
use crate::h1::{self, Fault};
use crate::headers::Headers;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use open::{Opened, Socket};
pub use upload::{Upload, UploadFailure};

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(90);
/// Unused connections kept per origin.
const MOST_IDLE: usize = 1024;
/// Requests that share an HTTP/2 connection; the next one opens another. Servers allow 100 or more.
const MOST_SHARED: usize = 100;
/// Bytes that an upstream may send ahead of a slow reader, per HTTP/2 request.
const WINDOW: u32 = 256 * 1024;
/// How often an HTTP/2 connection is asked whether it still lives, and how long it may take to say so.
const PING: Duration = Duration::from_secs(15);
const PONG: Duration = Duration::from_secs(10);

/// Why a send did not bring a reply's head.
#[derive(Debug)]
pub enum SendError {
    /// No connection: name lookup, TCP, TLS or the egress rule. The reason, fit for the log.
    Unreachable(String),
    /// The connection broke before the head.
    Broken,
    /// What came was not HTTP.
    Protocol,
}

/// A request to send.
pub struct Outgoing<'a> {
    /// Method, as in `POST`.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Header lines that every request to this target has, each ended by CRLF, in lower case.
    pub fixed: &'a str,
    /// Headers of this request alone; values hold no control characters.
    pub extra: &'a [(&'a str, &'a [u8])],
    /// The body.
    pub body: Bytes,
    /// Set once all of it has been handed over.
    pub sent: Option<&'a Cell<bool>>,
}

/// A reply whose body is still coming.
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers as received.
    pub headers: Headers,
    /// The body.
    pub body: Body,
}

/// A host and the connections to it.
pub struct Origin {
    address: Address,
    /// What the `host` header says.
    authority: String,
    connect: Duration,
    idle: Mutex<VecDeque<(h1::Connection, Instant)>>,
    http2: Mutex<Vec<Shared>>,
    resends: bool,
}

/// An HTTP/2 connection, and who is using it: each request holds a copy of `load`.
#[derive(Clone)]
struct Shared {
    sender: http2::SendRequest<Full<Bytes>>,
    load: Arc<()>,
}

impl Origin {
    /// An origin without connections; setting one up may take at most `connect`.
    #[must_use]
    pub fn new(address: Address, authority: String, connect: Duration) -> Arc<Self> {
        let (idle, http2) = (Mutex::default(), Mutex::default());
        Arc::new(Origin { address, authority, connect, idle, http2, resends: false })
    }

    /// An origin that may be sent the same request again when an idle connection turns out to be closed:
    /// not for models, where a request that was read may have cost money.
    #[must_use]
    pub fn resending(address: Address, authority: String, connect: Duration) -> Arc<Self> {
        let (idle, http2) = (Mutex::default(), Mutex::default());
        Arc::new(Origin { address, authority, connect, idle, http2, resends: true })
    }

    /// What the `host` header says.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Sends and waits for the reply's head. The caller holds the deadline; dropping cancels.
    ///
    /// # Errors
    /// [`SendError`], by where it went wrong.
    pub async fn send(self: &Arc<Self>, request: Outgoing<'_>) -> Result<Response, SendError> {
        if let Some(shared) = self.shared() {
            return self.over_http2(shared, request).await;
        }
        let head = self.head(&request);
        // What changes something is not sent twice, nor on a connection that may be closed already.
        let idle = if self.resends && !is_safe(request.method) { None } else { self.take_idle() };
        if let Some(connection) = idle {
            match connection.exchange(&head, &request.body, request.sent).await {
                Err(Fault::Broken) if self.resends => {}
                result => return self.response(result),
            }
        }
        let stream = self.dial().await?;
        if stream.speaks_http2() {
            let shared = self.share(stream).await?;
            return self.over_http2(shared, request).await;
        }
        let connection = h1::Connection::new(stream);
        self.response(connection.exchange(&head, &request.body, request.sent).await)
    }

    fn response(self: &Arc<Self>, result: Result<h1::Reply, Fault>) -> Result<Response, SendError> {
        let reply = result.map_err(|fault| match fault {
            Fault::Broken => SendError::Broken,
            Fault::Protocol => SendError::Protocol,
        })?;
        let mut body = Body::Http1 { body: reply.body, origin: self.clone() };
        body.give_back();
        Ok(Response { status: reply.status, headers: reply.headers, body })
    }

    async fn dial(&self) -> Result<Stream, SendError> {
        match tokio::time::timeout(self.connect, self.address.dial()).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(SendError::Unreachable(error.to_string())),
            Err(_) => Err(SendError::Unreachable("no connection within the deadline".into())),
        }
    }

    fn head(&self, request: &Outgoing<'_>) -> Vec<u8> {
        let mut head = self.head_lines(request.method, request.path, request.fixed, request.extra);
        let mut line = |parts: &[&[u8]]| parts.iter().for_each(|part| head.extend_from_slice(part));
        if request.method != "GET" {
            line(&[b"content-length: ", request.body.len().to_string().as_bytes(), b"\r\n"]);
        }
        line(&[b"\r\n"]);
        head
    }

    /// A head without its framing and its end.
    fn head_lines(
        &self,
        method: &str,
        path: &str,
        fixed: &str,
        extra: &[(&str, &[u8])],
    ) -> Vec<u8> {
        let mut head = Vec::with_capacity(fixed.len() + path.len() + 256);
        let mut line = |parts: &[&[u8]]| parts.iter().for_each(|part| head.extend_from_slice(part));
        line(&[method.as_bytes(), b" ", path.as_bytes(), b" HTTP/1.1\r\nhost: "]);
        line(&[self.authority.as_bytes(), b"\r\n", fixed.as_bytes()]);
        for (name, value) in extra {
            line(&[name.as_bytes(), b": ", value, b"\r\n"]);
        }
        head
    }

    /// The idle connection used last, if it is still good.
    fn take_idle(&self) -> Option<h1::Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((mut connection, since)) = idle.pop_back() {
            if since.elapsed() < IDLE && connection.is_idle() {
                return Some(connection);
            }
        }
        None
    }

    /// Lets go of connections that their upstream has closed, or that nobody has used for long.
    pub fn sweep(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain_mut(|(connection, since)| since.elapsed() < IDLE && connection.is_idle());
    }

    fn put_idle(&self, connection: h1::Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push_back((connection, Instant::now()));
        if idle.len() > MOST_IDLE {
            idle.pop_front();
        }
    }

    /// An HTTP/2 connection with room for another request.
    fn shared(&self) -> Option<Shared> {
        let mut http2 = self.http2.lock().unwrap_or_else(PoisonError::into_inner);
        if http2.is_empty() {
            return None;
        }
        http2.retain(|shared| !shared.sender.is_closed());
        // The list itself holds one.
        http2.iter().find(|shared| Arc::strong_count(&shared.load) <= MOST_SHARED).cloned()
    }

    /// Makes a connection that requests share.
    async fn share(&self, stream: Stream) -> Result<Shared, SendError> {
        let handshake = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW * MOST_SHARED as u32)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream))
            .await;
        let (sender, connection) =
            handshake.map_err(|error| SendError::Unreachable(error.to_string()))?;
        // How it ends shows in the requests on it.
        tokio::spawn(async move { drop(connection.await) });
        let shared = Shared { sender, load: Arc::default() };
        self.http2.lock().unwrap_or_else(PoisonError::into_inner).push(shared.clone());
        Ok(shared)
    }

    async fn over_http2(
        &self,
        shared: Shared,
        request: Outgoing<'_>,
    ) -> Result<Response, SendError> {
        let Shared { mut sender, load } = shared;
        let message = self.message(&request).ok_or(SendError::Protocol)?;
        // From here on nobody says how much of it has gone.
        mark(request.sent);
        let response = match sender.send_request(message).await {
            Ok(response) => response,
            Err(error) if error.is_parse() => return Err(SendError::Protocol),
            Err(_) => return Err(SendError::Broken),
        };
        let (parts, body) = response.into_parts();
        let headers = Headers::from_map(&parts.headers);
        let body = Body::Http2 { body, _load: load };
        Ok(Response { status: parts.status.as_u16(), headers, body })
    }

    /// The same request for HTTP/2, whose heads are not text.
    fn message(&self, request: &Outgoing<'_>) -> Option<Request<Full<Bytes>>> {
        let mut message = Request::builder()
            .method(request.method)
            .version(Version::HTTP_2)
            .uri(format!("https://{}{}", self.authority, request.path))
            .body(Full::new(request.body.clone()))
            .ok()?;
        let fixed = request.fixed.lines().filter_map(|line| line.split_once(": "));
        let fixed = fixed.map(|(name, value)| (name, value.as_bytes()));
        for (name, value) in fixed.chain(request.extra.iter().copied()) {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            message.headers_mut().insert(name, HeaderValue::from_bytes(value).ok()?);
        }
        Some(message)
    }
}

/// Notes that all of a request has been handed over.
pub(crate) fn mark(sent: Option<&Cell<bool>>) {
    if let Some(sent) = sent {
        sent.set(true);
    }
}

/// A reply's body as it comes. Dropped early, it cancels the rest.
pub enum Body {
    /// On a connection of its own, which goes back to its origin at the end.
    Http1 {
        /// The body.
        body: h1::Body,
        /// Where the connection belongs.
        origin: Arc<Origin>,
    },
    /// On a shared connection.
    Http2 {
        /// The body.
        body: Incoming,
        /// Counts the request on its connection.
        _load: Arc<()>,
    },
}

impl Body {
    /// What comes next; `None` at the end.
    ///
    /// # Errors
    /// When the body ends early.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, ()>> {
        match self {
            Body::Http1 { body, .. } => {
                let chunk = body.chunk().await;
                self.give_back();
                chunk.map(|result| result.map_err(drop))
            }
            Body::Http2 { body, .. } => loop {
                match body.frame().await {
                    Some(Ok(frame)) => {
                        // Trailers say nothing that the client needs.
                        if let Ok(data) = frame.into_data() {
                            return Some(Ok(data));
                        }
                    }
                    // A stream that is reset with NO_ERROR also just stops.
                    None if body.is_end_stream() => return None,
                    _ => return Some(Err(())),
                }
            },
        }
    }

    /// Whether nothing more is to be read.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self {
            Body::Http1 { body, .. } => body.is_over(),
            Body::Http2 { body, .. } => body.is_end_stream(),
        }
    }

    /// Bytes still to come, if the framing tells.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        match self {
            Body::Http1 { body, .. } => body.remaining(),
            Body::Http2 { body, .. } => body.size_hint().exact(),
        }
    }

    /// Returns the connection as soon as the body is complete.
    fn give_back(&mut self) {
        if let Body::Http1 { body, origin } = self
            && let Some(connection) = body.take_connection()
        {
            origin.put_idle(connection);
        }
    }
}

/// Whether a method changes nothing.
fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

#[cfg(test)]
mod tests;
