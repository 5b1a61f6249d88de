//! Reading HTTP/1.1 requests off a connection: the head, then all of the body.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const READ_SIZE: usize = 16 * 1024;
const LARGEST_READ: usize = 1024 * 1024;
const LARGEST_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 64;

/// One request, read to its end.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Request {
    pub method: String,
    pub path: String,
    pub script: String,
    pub content_type: String,
    pub keep_alive: bool,
    pub body: BytesMut,
}

/// How the end of a body is found.
#[derive(Debug, PartialEq)]
enum Framing {
    Length(usize),
    Chunked,
}

struct Head {
    request: Request,
    framing: Framing,
    expects_continue: bool,
    bytes: usize,
}

/// Reads the next request; `None` when the client has closed the connection between two requests.
pub(super) async fn read_request(
    socket: &mut TcpStream,
    inbox: &mut BytesMut,
) -> io::Result<Option<Request>> {
    let Some(head) = read_head(socket, inbox).await? else { return Ok(None) };
    inbox.advance(head.bytes);
    let mut request = head.request;
    if head.expects_continue {
        socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    request.body = match head.framing {
        Framing::Length(length) => take(socket, inbox, length).await?,
        Framing::Chunked => read_chunks(socket, inbox).await?,
    };
    Ok(Some(request))
}

async fn read_head(socket: &mut TcpStream, inbox: &mut BytesMut) -> io::Result<Option<Head>> {
    loop {
        if let Some(head) = parse_head(inbox)? {
            return Ok(Some(head));
        }
        if inbox.len() > LARGEST_HEAD {
            return Err(malformed("the head is too large"));
        }
        inbox.reserve(READ_SIZE);
        if socket.read_buf(inbox).await? == 0 {
            return if inbox.is_empty() { Ok(None) } else { Err(cut_short()) };
        }
    }
}

fn parse_head(inbox: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(bytes) = parsed.parse(inbox).map_err(malformed)? else {
        return Ok(None);
    };
    let mut head = Head {
        request: Request {
            method: parsed.method.unwrap_or_default().to_owned(),
            path: parsed.path.unwrap_or_default().to_owned(),
            keep_alive: parsed.version == Some(1),
            ..Request::default()
        },
        framing: Framing::Length(0),
        expects_continue: false,
        bytes,
    };
    for header in parsed.headers.iter() {
        head.note(header.name, std::str::from_utf8(header.value).map_err(malformed)?)?;
    }
    Ok(Some(head))
}

impl Head {
    fn note(&mut self, name: &str, value: &str) -> io::Result<()> {
        if name.eq_ignore_ascii_case("content-length") {
            self.framing = Framing::Length(value.trim().parse().map_err(malformed)?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case("x-mock-script") {
            value.clone_into(&mut self.request.script);
        } else if name.eq_ignore_ascii_case("content-type") {
            value.clone_into(&mut self.request.content_type);
        } else if name.eq_ignore_ascii_case("connection") {
            self.request.keep_alive &= !value.eq_ignore_ascii_case("close");
        } else if name.eq_ignore_ascii_case("expect") {
            self.expects_continue = true;
        }
        Ok(())
    }
}

/// Takes exactly `length` bytes off the connection.
async fn take(socket: &mut TcpStream, inbox: &mut BytesMut, length: usize) -> io::Result<BytesMut> {
    while inbox.len() < length {
        inbox.reserve((length - inbox.len()).clamp(READ_SIZE, LARGEST_READ));
        if socket.read_buf(inbox).await? == 0 {
            return Err(cut_short());
        }
    }
    Ok(inbox.split_to(length))
}

async fn read_chunks(socket: &mut TcpStream, inbox: &mut BytesMut) -> io::Result<BytesMut> {
    let mut body = BytesMut::new();
    loop {
        let size = read_chunk_size(socket, inbox).await?;
        body.extend_from_slice(&take(socket, inbox, size).await?);
        take(socket, inbox, 2).await?;
        if size == 0 {
            return Ok(body);
        }
    }
}

async fn read_chunk_size(socket: &mut TcpStream, inbox: &mut BytesMut) -> io::Result<usize> {
    loop {
        let parsed = httparse::parse_chunk_size(inbox);
        if let httparse::Status::Complete((start, size)) = parsed.map_err(|_| malformed("chunk"))? {
            inbox.advance(start);
            return usize::try_from(size).map_err(malformed);
        }
        if socket.read_buf(inbox).await? == 0 {
            return Err(cut_short());
        }
    }
}

fn malformed(reason: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_string())
}

fn cut_short() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let bytes =
            b"POST /v1/models HTTP/1.1\r\nContent-Length: 3\r\nX-Mock-Script: chunks=2\r\n\r\nabc";
        assert!(parse_head(&bytes[..20]).unwrap().is_none());
        let head = parse_head(bytes).unwrap().unwrap();
        assert_eq!(head.framing, Framing::Length(3));
        assert_eq!(head.request.script, "chunks=2");
        assert!(head.request.keep_alive);
    }

    #[test]
    fn a_client_may_ask_to_close() {
        let head = parse_head(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap().unwrap();
        assert!(!head.request.keep_alive);
    }
}
