//! One connection of the mock upstream: read a request, answer it as scripted, and again.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::Seen;
use super::ask::Ask;
use super::embeddings;
use super::events::{self, Stream};
use super::failure::Failure;
use super::files;
use super::media;
use super::replies::{self, Answer};
use super::script::Script;
use super::wire::{Request, read_request};

const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

const JSON: &str = "application/json";

/// What a request gets: a whole body and its type, or a stream.
pub(super) enum Reply {
    Body(&'static str, Vec<u8>),
    Stream(Stream),
}

impl Reply {
    pub(super) fn json(body: &serde_json::Value) -> Self {
        Reply::Body(JSON, body.to_string().into_bytes())
    }
}

/// Answers the requests of one connection until either side ends it.
pub(super) async fn converse(socket: TcpStream, seen: Arc<Seen>) {
    // A reply is one write, so waiting to fill a segment would only delay it; a failure is harmless.
    let _ = socket.set_nodelay(true);
    let mut talk = Talk { socket, inbox: BytesMut::new(), seen };
    // An error here is the client's leaving; the next connection is not concerned.
    while let Ok(true) = talk.turn().await {}
}

struct Talk {
    socket: TcpStream,
    inbox: BytesMut,
    seen: Arc<Seen>,
}

impl Talk {
    /// Answers one request; false when the connection is over.
    async fn turn(&mut self) -> io::Result<bool> {
        let Some(request) = read_request(&mut self.socket, &mut self.inbox).await? else {
            return Ok(false);
        };
        let number = self.seen.count_request();
        let mut script = Script::default();
        let reply = answer(&request, number, &mut script, &self.seen);
        self.pause_until(Instant::now() + script.delay).await?;
        let whole = match reply {
            Err(failure) => self.send_failure(&failure).await.map(|()| true),
            Ok(Reply::Body(kind, body)) => self.send_body(kind, &body).await.map(|()| true),
            Ok(Reply::Stream(stream)) => self.send_stream(&stream, &script).await,
        };
        Ok(whole? && request.keep_alive)
    }

    async fn send_body(&mut self, kind: &str, body: &[u8]) -> io::Result<()> {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.socket.write_all(&[head.as_bytes(), body].concat()).await
    }

    async fn send_failure(&mut self, failure: &Failure) -> io::Result<()> {
        let body = failure.body();
        let (status, reason, length) = (failure.status, failure.reason(), body.len());
        let retry = failure.retry_after.map(|seconds| format!("retry-after: {seconds}\r\n"));
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{}\r\n",
            retry.unwrap_or_default()
        );
        self.socket.write_all(&[head.as_bytes(), &body].concat()).await
    }

    /// Sends a stream at the script's pace; false when the script cut it short.
    async fn send_stream(&mut self, stream: &Stream, script: &Script) -> io::Result<bool> {
        let cut = script.truncate_after.filter(|events| *events < stream.ends.len());
        let events = cut.unwrap_or(stream.ends.len());
        let tail = if cut.is_none() { LAST_CHUNK } else { b"" };
        if let Some(interval) = script.interval {
            self.send_paced(stream, events, interval).await?;
            self.socket.write_all(tail).await?;
        } else {
            let text = &stream.bytes[..stream.end_of(events)];
            self.socket.write_all(&[stream.head, text, tail].concat()).await?;
        }
        Ok(cut.is_none())
    }

    /// Sends each event as its own write, the text ones at fixed times after the head.
    async fn send_paced(
        &mut self,
        stream: &Stream,
        events: usize,
        interval: Duration,
    ) -> io::Result<()> {
        self.socket.write_all(stream.head).await?;
        let (mut due, mut from) = (Instant::now(), 0);
        for (index, end) in stream.ends[..events].iter().enumerate() {
            if stream.text.contains(&index) {
                due += interval;
                self.pause_until(due).await?;
            }
            self.socket.write_all(&stream.bytes[from..*end]).await?;
            from = *end;
        }
        Ok(())
    }

    /// Waits, unless the client leaves meanwhile: that is counted, and an error.
    async fn pause_until(&mut self, due: Instant) -> io::Result<()> {
        while Instant::now() < due {
            tokio::select! {
                () = sleep_until(due) => {}
                read = self.socket.read_buf(&mut self.inbox) => {
                    if !matches!(read, Ok(bytes) if bytes > 0) {
                        self.seen.count_abandoned();
                        return Err(io::ErrorKind::ConnectionAborted.into());
                    }
                }
            }
        }
        Ok(())
    }
}

/// Works out the reply and completes the script from the header and the model.
fn answer(
    request: &Request,
    number: u64,
    script: &mut Script,
    seen: &Seen,
) -> Result<Reply, Failure> {
    let path = request.path.split('?').next().unwrap_or_default();
    let endpoint = path.strip_prefix("/v1").unwrap_or(path);
    if endpoint == "/models" {
        return expect(request, "GET").map(|()| Reply::Body(JSON, replies::models().into_bytes()));
    }
    let run = |line: Request| answer(&line, number, &mut Script::default(), seen);
    if let Some(reply) = files::answer(endpoint, request, &seen.cabinet, run) {
        follow(script, "", request, seen)?;
        return reply;
    }
    expect(request, "POST")?;
    if let Some(ask) = media::Ask::read(endpoint, request) {
        return answer_media(endpoint, ask, request, number, script, seen);
    }
    let ask: Ask = serde_json::from_slice(&request.body)
        .map_err(|error| Failure::refused(400, format!("The body cannot be read: {error}.")))?;
    let (model, query) = ask.model_and_script();
    follow(script, query, request, seen)?;
    let answer = Answer::compose(&ask, script, number);
    let streamed = ask.stream.unwrap_or(false);
    let body = match endpoint {
        "/chat/completions" if streamed => {
            return Ok(Reply::Stream(events::chat(&answer, script, ask.include_usage())));
        }
        "/completions" if streamed => {
            return Ok(Reply::Stream(events::completion(&answer, script, ask.include_usage())));
        }
        "/responses" if streamed => return Ok(Reply::Stream(events::response(&answer, script))),
        "/chat/completions" => answer.chat(),
        "/completions" => answer.completion(),
        "/responses" => answer.response(true),
        "/moderations" => replies::moderation(number, model),
        "/embeddings" => {
            let reply = embeddings::reply(&request.body);
            return reply
                .map(|body| Reply::Body(JSON, body))
                .map_err(|error| Failure::refused(400, error));
        }
        _ => return Err(unknown(path)),
    };
    Ok(Reply::Body(JSON, body.into_bytes()))
}

/// The same for images, audio and rankings.
fn answer_media(
    endpoint: &str,
    ask: Result<media::Ask, String>,
    request: &Request,
    number: u64,
    script: &mut Script,
    seen: &Seen,
) -> Result<Reply, Failure> {
    let ask = ask.map_err(|error| Failure::refused(400, error))?;
    let query = ask.model.split_once('?').map_or("", |(_, script)| script);
    follow(script, query, request, seen)?;
    ask.answer(endpoint, script, number).ok_or_else(|| unknown(&request.path))
}

fn unknown(path: &str) -> Failure {
    Failure::refused(404, format!("The mock upstream has no {path}."))
}

/// Completes the script from the model and the header, and fails where it says so.
fn follow(script: &mut Script, query: &str, request: &Request, seen: &Seen) -> Result<(), Failure> {
    script.apply(query).map_err(|error| Failure::refused(400, error))?;
    script.apply(&request.script).map_err(|error| Failure::refused(400, error))?;
    fail_as_scripted(script, [query, &request.script], seen)
}

fn expect(request: &Request, method: &str) -> Result<(), Failure> {
    if request.method == method {
        return Ok(());
    }
    Err(Failure::refused(405, format!("{} wants {method}.", request.path)))
}

/// Fails when the script says so: always with `status`, every n-th time with `fail_every`.
fn fail_as_scripted(script: &Script, texts: [&str; 2], seen: &Seen) -> Result<(), Failure> {
    let status = match (script.status, script.fail_every) {
        (status, Some(n)) if seen.is_nth(&texts.join("&"), n) => status.unwrap_or(500),
        (Some(status), None) => status,
        _ => return Ok(()),
    };
    Err(Failure::scripted(status, script.retry_after))
}
