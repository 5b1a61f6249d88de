//! TLS at the door: our certificate, and the authorities whose clients' certificates are taken.

use crate::snapshot::EdgeSettings;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// What accepts connections, if TLS is configured.
///
/// # Errors
/// A file that cannot be read, or does not hold what it should.
pub fn acceptor(settings: &EdgeSettings) -> io::Result<Option<TlsAcceptor>> {
    let (Some(chain), Some(key)) = (&settings.tls_cert_file, &settings.tls_key_file) else {
        return Ok(None);
    };
    let key = PrivateKeyDer::from_pem_slice(&std::fs::read(key)?).map_err(io::Error::other)?;
    let clients = settings.tls_client_ca_file.as_deref();
    let clients = clients.map(|file| clients_of(file, settings.tls_client_required)).transpose()?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let config = match clients {
        Some(verifier) => config.with_client_cert_verifier(verifier),
        None => config.with_no_client_auth(),
    };
    let mut config =
        config.with_single_cert(certificates(chain)?, key).map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// Takes certificates of the authorities in this file; a connection may have none unless they are required.
fn clients_of(file: &Path, required: bool) -> io::Result<Arc<dyn ClientCertVerifier>> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(io::Error::other)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = if required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(io::Error::other)
}

fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&std::fs::read(file)?).collect();
    let all = all.map_err(io::Error::other)?;
    if all.is_empty() {
        return Err(io::Error::other(format!("{} holds no certificate", file.display())));
    }
    Ok(all)
}
