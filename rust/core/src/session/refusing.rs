//! How a request is refused: in the client's dialect, or as the admin API does.

use super::{After, Asked, Session};
use crate::dialect;
use crate::error::Error;
use crate::http1::{Framing, Head};
use crate::reply::error_headers;
use tokio::io::{AsyncRead, AsyncWrite};

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Answers with an error before the body was read; keeps the connection if the body is already here.
    pub async fn refuse_unread(&mut self, asked: &Asked, head: &Head, error: &Error) -> After {
        if head.framing == Framing::Length(0) {
            return self.refuse(asked, error).await;
        }
        self.refuse_and_close(asked, error).await
    }

    /// Answers with an error, after which the connection cannot be used: what still comes is no request.
    pub async fn refuse_and_close(&mut self, asked: &Asked, error: &Error) -> After {
        let (request_id, tags) = (asked.request_id.clone(), asked.tags.clone());
        let plain = Asked { keep_alive: false, request_id, tags, certificate: None, ..*asked };
        self.refuse(&plain, error).await;
        After::CloseUnread
    }

    /// Answers with an error in the client's dialect.
    pub async fn refuse(&mut self, asked: &Asked, error: &Error) -> After {
        self.head.begin(error.class.row().status, &asked.request_id);
        self.anthropic_id(asked);
        if asked.is_admin {
            self.head.header("content-type", b"application/problem+json");
            return self.write_body(asked, &error.to_problem_json(&asked.request_id)).await;
        }
        error_headers(&mut self.head, error);
        let body = dialect::error_body(asked.dialect, error, &asked.request_id);
        self.write_body(asked, &body).await
    }
}
