//! A send whose body comes piece by piece. It goes over HTTP/1.1, also where HTTP/2 could be agreed on.

use super::{Origin, Response, SendError};
use crate::dial::Stream;
use crate::h1::{Connection, Fault, Patience, Source, UploadFault};
use std::cell::Cell;
use std::sync::Arc;

/// A request to send, but for its body.
pub struct Upload<'a> {
    /// Method, as in `POST`.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// As in [`super::Outgoing`].
    pub fixed: &'a str,
    /// As in [`super::Outgoing`].
    pub extra: &'a [(&'a str, &'a [u8])],
    /// Bytes of the body, if they are known before it has come.
    pub length: Option<u64>,
    /// Set once all of it has been handed over.
    pub sent: Option<&'a Cell<bool>>,
}

impl Origin {
    /// Sends what `source` gives and waits for the reply's head. Dropping cancels.
    ///
    /// # Errors
    /// [`UploadFault`], or why there was no connection.
    pub async fn upload(
        self: &Arc<Self>,
        upload: &Upload<'_>,
        source: &mut impl Source,
        patience: Patience,
    ) -> Result<Response, UploadFailure> {
        let connection = match self.take_idle() {
            Some(connection) => connection,
            None => tokio::select! {
                biased;
                stream = self.dial_http1() => Connection::new(stream.map_err(UploadFailure::Send)?),
                () = source.gone() => return Err(UploadFailure::Client),
            },
        };
        let head = self.upload_head(upload);
        let chunked = upload.length.is_none();
        let sent = connection.upload(&head, chunked, source, patience, upload.sent).await;
        let failed = match sent {
            Ok(reply) => return self.response(Ok(reply)).map_err(UploadFailure::Send),
            Err(UploadFault::Upstream(Fault::Broken)) => UploadFailure::Send(SendError::Broken),
            Err(UploadFault::Upstream(Fault::Protocol)) => UploadFailure::Send(SendError::Protocol),
            Err(UploadFault::Late) => UploadFailure::Late,
            Err(UploadFault::Client) => UploadFailure::Client,
        };
        Err(failed)
    }

    /// Opens a connection that speaks HTTP/1.1.
    ///
    /// # Errors
    /// [`SendError::Unreachable`].
    pub async fn dial_http1(&self) -> Result<Stream, SendError> {
        match tokio::time::timeout(self.connect, self.address.dial_http1()).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(SendError::Unreachable(error.to_string())),
            Err(_) => Err(SendError::Unreachable("no connection within the deadline".into())),
        }
    }

    fn upload_head(&self, upload: &Upload<'_>) -> Vec<u8> {
        let mut head = self.head_lines(upload.method, upload.path, upload.fixed, upload.extra);
        match upload.length {
            Some(length) => {
                head.extend_from_slice(format!("content-length: {length}\r\n\r\n").as_bytes());
            }
            None => head.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n"),
        }
        head
    }
}

/// Why an upload brought no reply.
#[derive(Debug)]
pub enum UploadFailure {
    /// As any send.
    Send(SendError),
    /// The upstream was too slow.
    Late,
    /// The body did not become whole, or nobody waits any more.
    Client,
}
