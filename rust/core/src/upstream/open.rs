//! A send that asks the upstream to speak something else than HTTP from then on, over HTTP/1.1.

use super::{Origin, Response, SendError};
use crate::dial::Stream;
use crate::h1::{Connection, Fault};
use crate::headers::Headers;
use bytes::BytesMut;
use std::sync::Arc;

/// What an upstream that was asked has done.
pub enum Opened {
    /// It has switched.
    Socket(Socket),
    /// It answered in HTTP.
    Reply(Response),
}

/// A connection that speaks no HTTP any more.
pub struct Socket {
    /// The connection.
    pub stream: Stream,
    /// What was read of it ahead.
    pub ahead: BytesMut,
    /// The headers of the upstream's 101.
    pub headers: Headers,
}

impl Origin {
    /// Asks by a GET of `path`; `fixed` and `extra` as in [`super::Outgoing`]. The connection is a fresh one:
    /// it is not given back. The caller holds the deadline; dropping cancels.
    ///
    /// # Errors
    /// [`SendError`], by where it went wrong.
    pub async fn open(
        self: &Arc<Self>,
        path: &str,
        fixed: &str,
        extra: &[(&str, &[u8])],
    ) -> Result<Opened, SendError> {
        let mut head = self.head_lines("GET", path, fixed, extra);
        head.extend_from_slice(b"\r\n");
        let connection = Connection::new(self.dial_http1().await?);
        let reply = connection.exchange(&head, &[], None).await.map_err(|fault| match fault {
            Fault::Broken => SendError::Broken,
            Fault::Protocol => SendError::Protocol,
        })?;
        if reply.status != 101 {
            return self.response(Ok(reply)).map(Opened::Reply);
        }
        let connection = reply.body.into_connection().ok_or(SendError::Broken)?;
        let (stream, ahead) = connection.into_parts();
        Ok(Opened::Socket(Socket { stream, ahead, headers: reply.headers }))
    }
}
