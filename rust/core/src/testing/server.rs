//! An HTTP server on the test's own runtime: over TCP or TLS (HTTP/2 where ALPN says so) or a Unix socket.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri, Version};
use http_body_util::channel::Channel;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

/// Why a reply breaks off; over HTTP/2 an `h2::Error` chooses the reset's reason.
pub type Break = Box<dyn std::error::Error + Send + Sync>;
/// A reply's body, whole or still coming.
pub type ReplyBody = BoxBody<Bytes, Break>;
/// The end of a coming body that the test holds.
pub type Sender = http_body_util::channel::Sender<Bytes, Break>;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method and target.
    pub line: String,
    /// The request's URI.
    pub uri: Uri,
    /// HTTP version it was sent in.
    pub version: Version,
    /// Headers as received.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

/// What a server has seen so far.
#[derive(Clone, Default)]
pub struct Record {
    connections: Arc<AtomicUsize>,
    close: Arc<Notify>,
    requests: Arc<Mutex<Vec<Seen>>>,
}

impl Record {
    /// Connections on which a request could be sent.
    pub fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    /// Closes every connection now open, as a restarting upstream does.
    pub fn close_connections(&self) {
        self.close.notify_waiters();
    }

    /// All requests, in order of arrival.
    pub fn requests(&self) -> Vec<Seen> {
        self.requests.lock().unwrap().clone()
    }

    /// The one request that came.
    pub fn only_request(&self) -> Seen {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }
}

/// A server on a port of 127.0.0.1.
pub struct Server {
    /// Where it listens.
    pub port: u16,
    /// What it has seen.
    pub record: Record,
}

/// Serves `answer` to every request, from now until the runtime ends.
pub async fn serve<A, F>(tls: Option<TlsAcceptor>, answer: A) -> Server
where
    A: Fn(Seen) -> F + Clone + Send + 'static,
    F: Future<Output = Response<ReplyBody>> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (port, record) = (listener.local_addr().unwrap().port(), Record::default());
    let seen = record.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, seen, answer) = (tls.clone(), seen.clone(), answer.clone());
            tokio::spawn(async move {
                let Some(tls) = tls else { return converse(stream, false, seen, answer).await };
                let Ok(stream) = tls.accept(stream).await else { return };
                let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                converse(stream, h2, seen, answer).await;
            });
        }
    });
    Server { port, record }
}

/// The same on a Unix socket.
pub fn serve_unix<A, F>(path: &Path, answer: A) -> Record
where
    A: Fn(Seen) -> F + Clone + Send + 'static,
    F: Future<Output = Response<ReplyBody>> + Send + 'static,
{
    let (listener, record) = (UnixListener::bind(path).unwrap(), Record::default());
    let seen = record.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, false, seen.clone(), answer.clone()));
        }
    });
    record
}

async fn converse<S, A, F>(stream: S, h2: bool, record: Record, answer: A)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: Fn(Seen) -> F + Clone + Send + 'static,
    F: Future<Output = Response<ReplyBody>> + Send + 'static,
{
    record.connections.fetch_add(1, SeqCst);
    let close = record.close.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (record, answer) = (record.clone(), answer.clone());
        async move {
            let seen = whole(request).await;
            record.requests.lock().unwrap().push(seen.clone());
            Ok::<_, Infallible>(answer(seen).await)
        }
    });
    let serving = async {
        // How a connection ends is the test's affair.
        if h2 {
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        } else {
            let server = hyper::server::conn::http1::Builder::new();
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        }
    };
    tokio::select! {
        () = serving => {}
        () = close.notified() => {}
    }
}

async fn whole(request: Request<Incoming>) -> Seen {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let line = format!("{} {}", parts.method, parts.uri.path());
    Seen { line, uri: parts.uri, version: parts.version, headers: parts.headers, body }
}

/// A whole body.
pub fn full(body: impl Into<Bytes>) -> ReplyBody {
    Full::new(body.into()).map_err(|never| match never {}).boxed()
}

/// A whole JSON reply.
pub fn json_reply(body: impl Into<Bytes>) -> Response<ReplyBody> {
    let response = Response::builder().header("content-type", "application/json");
    response.body(full(body)).unwrap()
}

/// A reply that comes as the test sends it.
pub fn coming_reply(headers: &[(&str, &str)]) -> (Sender, Response<ReplyBody>) {
    let (sender, body) = Channel::new(1);
    let response =
        headers.iter().fold(Response::builder(), |r, (name, value)| r.header(*name, *value));
    (sender, response.body(body.boxed()).unwrap())
}
