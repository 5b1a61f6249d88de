//! One send to an upstream: pooled HTTP/1.1 and HTTP/2 over rustls, every wait with a deadline.

use crate::egress::{Egress, Host};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, Response, Uri, Version};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long an unused connection is kept.
const POOL_IDLE: Duration = Duration::from_secs(90);

/// A client with its own pool; cheap to clone.
pub type HttpClient = Client<Connector, Full<Bytes>>;

/// Why a send did not bring a reply's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// No connection: name lookup, TCP, TLS or the egress rule. The reason, fit for the log.
    Unreachable(String),
    /// The connection broke before the head.
    Broken(String),
    /// What came was not HTTP.
    Protocol(String),
}

/// Makes a client whose connections take at most `connect` to set up.
#[must_use]
pub fn client(
    egress: Arc<Egress>,
    tls: Arc<rustls::ClientConfig>,
    connect: Duration,
) -> HttpClient {
    build(Connector { kind: Kind::Network { egress, tls: TlsConnector::from(tls) }, connect })
}

/// Makes a client for a server on a Unix socket.
#[must_use]
pub fn unix_client(path: std::path::PathBuf) -> HttpClient {
    build(Connector { kind: Kind::Unix(path.into()), connect: Duration::from_secs(5) })
}

fn build(connector: Connector) -> HttpClient {
    Client::builder(TokioExecutor::new())
        .pool_idle_timeout(POOL_IDLE)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .build(connector)
}

/// The trust anchors of the machine (or of `SSL_CERT_FILE`), Mozilla's if it has none, and those of `ca_file`.
///
/// # Errors
/// A message naming the file that cannot be read.
pub fn tls_config(ca_file: Option<&str>) -> Result<Arc<rustls::ClientConfig>, String> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        // Machines carry certificates that webpki does not take; the others still count.
        let _ = roots.add(certificate);
    }
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = ca_file {
        use rustls::pki_types::{CertificateDer, pem::PemObject};
        let certificates =
            CertificateDer::pem_file_iter(path).map_err(|e| format!("{path}: {e}"))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|e| format!("{path}: {e}"))?;
            roots.add(certificate).map_err(|e| format!("{path}: {e}"))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Sends one POST and waits for the reply's head. The caller holds the deadline; dropping cancels.
///
/// # Errors
/// [`SendError`], by where it went wrong.
pub async fn post(
    client: &HttpClient,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Incoming>, SendError> {
    send(client, Method::POST, uri, headers, body).await
}

/// As [`post`], with any method.
///
/// # Errors
/// [`SendError`], by where it went wrong.
pub async fn send(
    client: &HttpClient,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Incoming>, SendError> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    client.request(request).await.map_err(|error| explain(&error))
}

/// Whether a reply is of that media type (given in lower case), whatever its parameters.
#[must_use]
pub fn is_of_type(headers: &HeaderMap, kind: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    value.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind.as_bytes()))
}

/// Whether a body that brings nothing more has come whole. An HTTP/2 stream that is reset with
/// `NO_ERROR` also just stops.
#[must_use]
pub fn ended_whole(version: Version, rest: &Incoming) -> bool {
    version != Version::HTTP_2 || rest.is_end_stream()
}

fn explain(error: &hyper_util::client::legacy::Error) -> SendError {
    let mut source = std::error::Error::source(error);
    let mut reason = String::new();
    let mut parse = false;
    while let Some(cause) = source {
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            parse |= hyper.is_parse();
        }
        reason = cause.to_string();
        source = cause.source();
    }
    match (error.is_connect(), parse) {
        (true, _) => SendError::Unreachable(reason),
        (_, true) => SendError::Protocol(reason),
        _ => SendError::Broken(reason),
    }
}

/// Opens connections: looks names up, applies the egress rule to every address, dials the one it checked.
#[derive(Clone)]
pub struct Connector {
    kind: Kind,
    connect: Duration,
}

#[derive(Clone)]
enum Kind {
    Network { egress: Arc<Egress>, tls: TlsConnector },
    Unix(Arc<std::path::Path>),
}

impl tower_service::Service<Uri> for Connector {
    type Response = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Connector { kind, connect } = self.clone();
        Box::pin(async move {
            let dial = async {
                match kind {
                    Kind::Network { egress, tls } => dial(&uri, &egress, &tls).await,
                    Kind::Unix(path) => {
                        Ok(Stream::Unix(TokioIo::new(UnixStream::connect(&path).await?)))
                    }
                }
            };
            let late =
                |_| io::Error::new(io::ErrorKind::TimedOut, "no connection within the deadline");
            tokio::time::timeout(connect, dial).await.map_err(late)?
        })
    }
}

async fn dial(uri: &Uri, egress: &Egress, tls: &TlsConnector) -> io::Result<Stream> {
    let secure = uri.scheme_str() == Some("https");
    let host = uri.host().ok_or_else(|| io::Error::other("the URL has no host"))?;
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let tcp = connect_checked(host, port, egress, secure).await?;
    tcp.set_nodelay(true)?;
    if !secure {
        return Ok(Stream::Plain(TokioIo::new(tcp)));
    }
    let name = rustls::pki_types::ServerName::try_from(bare(host).to_owned())
        .map_err(|_| io::Error::other("the host is not a name that TLS can verify"))?;
    let stream = tls.connect(name, tcp).await?;
    Ok(Stream::Tls(Box::new(TokioIo::new(stream))))
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

/// Every address of the name must pass; the first that answers is used.
async fn connect_checked(
    host: &str,
    port: u16,
    egress: &Egress,
    tls: bool,
) -> io::Result<TcpStream> {
    let literal: Option<IpAddr> = bare(host).parse().ok();
    let (addresses, kind): (Vec<SocketAddr>, Host) = match literal {
        Some(address) => (vec![SocketAddr::new(address, port)], Host::Literal),
        None => (tokio::net::lookup_host((host, port)).await?.collect(), Host::Name),
    };
    for address in &addresses {
        egress.check(address.ip(), tls, kind).map_err(io::Error::other)?;
    }
    let mut last = io::Error::other("the name has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A connection to an upstream.
pub enum Stream {
    /// TCP.
    Plain(TokioIo<TcpStream>),
    /// TLS over TCP.
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
    /// A Unix socket.
    Unix(TokioIo<UnixStream>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        match self {
            Stream::Tls(stream) if stream.inner().get_ref().1.alpn_protocol() == Some(b"h2") => {
                connected.negotiated_h2()
            }
            _ => connected,
        }
    }
}

macro_rules! delegate {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Plain($stream) => $call,
            Stream::Tls($stream) => $call,
            Stream::Unix($stream) => $call,
        }
    };
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        delegate!(self, stream => hyper::rt::Read::poll_read(Pin::new(stream), context, buffer))
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        delegate!(self, stream => hyper::rt::Write::poll_write(Pin::new(stream), context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => hyper::rt::Write::poll_flush(Pin::new(stream), context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => hyper::rt::Write::poll_shutdown(Pin::new(stream), context))
    }

    fn is_write_vectored(&self) -> bool {
        !matches!(self, Stream::Tls(_))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self, stream => hyper::rt::Write::poll_write_vectored(Pin::new(stream), context, parts))
    }
}

#[cfg(test)]
mod tests;
