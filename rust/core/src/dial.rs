//! Opening connections: names are looked up, every address checked, and the one dialled is the one checked.

use crate::egress::{Egress, Host};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Where connections of one origin lead.
pub enum Address {
    /// A host on the network.
    Network {
        /// Name or address, an IPv6 address without its brackets.
        host: String,
        /// TCP port.
        port: u16,
        /// TLS, if the origin is `https`.
        tls: Option<TlsConnector>,
        /// What may be dialled.
        egress: Arc<Egress>,
    },
    /// A Unix socket.
    Unix(Box<Path>),
}

impl Address {
    /// Opens a connection. The caller holds the deadline.
    ///
    /// # Errors
    /// The system's, TLS's, or the egress rule's refusal.
    pub async fn dial(&self) -> io::Result<Stream> {
        self.dial_with(None).await
    }

    /// The same for what only HTTP/1.1 does here: bodies that come piece by piece, and WebSockets.
    ///
    /// # Errors
    /// As of [`Address::dial`].
    pub async fn dial_http1(&self) -> io::Result<Stream> {
        self.dial_with(Some(b"http/1.1")).await
    }

    async fn dial_with(&self, protocol: Option<&[u8]>) -> io::Result<Stream> {
        match self {
            Address::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
            Address::Network { host, port, tls, egress } => {
                let tcp = connect_checked(host, *port, egress, tls.is_some()).await?;
                tcp.set_nodelay(true)?;
                let Some(tls) = tls else { return Ok(Stream::Plain(tcp)) };
                let name = rustls::pki_types::ServerName::try_from(host.clone())
                    .map_err(|_| io::Error::other("the host is not a name that TLS can verify"))?;
                let connecting = match protocol {
                    None => tls.connect(name, tcp),
                    Some(protocol) => {
                        let mut config = rustls::ClientConfig::clone(tls.config());
                        config.alpn_protocols = vec![protocol.to_vec()];
                        TlsConnector::from(Arc::new(config)).connect(name, tcp)
                    }
                };
                Ok(Stream::Tls(Box::new(connecting.await?)))
            }
        }
    }
}

/// Every address of the name must pass; the first that answers is used.
async fn connect_checked(
    host: &str,
    port: u16,
    egress: &Egress,
    tls: bool,
) -> io::Result<TcpStream> {
    let literal: Option<IpAddr> = host.parse().ok();
    let (addresses, kind): (Vec<SocketAddr>, Host) = match literal {
        Some(address) => (vec![SocketAddr::new(address, port)], Host::Literal),
        None => (tokio::net::lookup_host((host, port)).await?.collect(), Host::Name),
    };
    check_all(&addresses, egress, tls, kind)?;
    let mut last = io::Error::other("the name has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A name may lead to several addresses, of which any may be dialled.
fn check_all(addresses: &[SocketAddr], egress: &Egress, tls: bool, kind: Host) -> io::Result<()> {
    let check = |one: &SocketAddr| egress.check(one.ip(), tls, kind).map_err(io::Error::other);
    addresses.iter().try_for_each(check)
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

/// A connection to an upstream.
pub enum Stream {
    /// TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
    /// A Unix socket.
    Unix(UnixStream),
}

impl Stream {
    /// Whether TLS has agreed on HTTP/2.
    #[must_use]
    pub fn speaks_http2(&self) -> bool {
        match self {
            Stream::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
            _ => false,
        }
    }
}

macro_rules! each {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Plain($stream) => $call,
            Stream::Tls($stream) => $call,
            Stream::Unix($stream) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_shutdown(context))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write_vectored(context, parts))
    }

    fn is_write_vectored(&self) -> bool {
        !matches!(self, Stream::Tls(_))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_bad_address_among_several_refuses_the_name() {
        let good = "8.8.8.8:443".parse().unwrap();
        for egress in [Egress::default(), Egress::of_clients(Vec::new())] {
            let check = |addresses: &[SocketAddr]| check_all(addresses, &egress, true, Host::Name);
            assert!(check(&[good]).is_ok());
            for bad in ["127.0.0.1:443", "169.254.169.254:443", "[::ffff:10.0.0.1]:443"] {
                let bad = bad.parse().unwrap();
                assert!(check(&[good, bad]).is_err() && check(&[bad, good]).is_err(), "{bad}");
            }
        }
    }
}
