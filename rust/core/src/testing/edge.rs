//! A running edge, and a client that asks it.

use super::{APP_KEY, shop};
use crate::edge::{self, EdgeHandle};
use crate::egress::Egress;
use crate::gate::Shop;
use crate::plan::Plan;
use crate::snapshot::EdgeSettings;
use crate::upstream::{self, HttpClient};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The secret between this edge and its control plane.
pub const EDGE_SECRET: &str = "edge-secret-0123456789";

/// An edge on a port of its own; drained when dropped.
pub struct RunningEdge {
    /// What it serves with.
    pub shop: Arc<Shop>,
    handle: EdgeHandle,
    client: HttpClient,
}

/// A reply, whole.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers as received.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// The body, decoded.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The `error.code` of a refusal.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }
}

impl RunningEdge {
    /// Starts an edge that serves `plan` and has its control plane on a Unix socket.
    pub fn start(plan: Arc<Plan>, control_socket: &Path) -> Self {
        let shop = Arc::new(shop(Some(plan)));
        let handle =
            edge::start(shop.clone(), settings(control_socket), edge::open_mock().unwrap())
                .unwrap();
        let tls = upstream::tls_config(None).unwrap();
        let client = upstream::client(Arc::new(Egress::default()), tls, Duration::from_secs(20));
        RunningEdge { shop, handle, client }
    }

    /// Sends a request with these headers; the reply's head has come when this returns.
    pub async fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&'static str, &str)],
        body: impl Into<Bytes>,
    ) -> Response<Incoming> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()));
        let uri = format!("http://{}{target}", self.handle.address).parse().unwrap();
        let headers = HeaderMap::from_iter(headers);
        upstream::send(&self.client, method, uri, headers, body.into()).await.unwrap()
    }

    /// Sends a chat as `app`; the reply's head has come when this returns.
    pub async fn begin_chat(&self, body: &'static str) -> Response<Incoming> {
        let key = format!("Bearer {APP_KEY}");
        let headers = [("authorization", &key[..]), ("content-type", "application/json")];
        self.send(Method::POST, "/v1/chat/completions", &headers, body).await
    }

    /// Sends a chat as `app` and reads the whole reply.
    pub async fn chat(&self, body: &'static str) -> Reply {
        whole(self.begin_chat(body).await).await
    }
}

impl Drop for RunningEdge {
    fn drop(&mut self) {
        self.handle.drain(Duration::ZERO);
    }
}

/// Reads a reply to its end.
pub async fn whole(response: Response<Incoming>) -> Reply {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply { status: parts.status.as_u16(), headers: parts.headers, body }
}

fn settings(control_socket: &Path) -> EdgeSettings {
    let settings = json!({
        "host": "127.0.0.1", "port": 0,
        "max_body_bytes": 1_000_000, "max_header_bytes": 32_768,
        "header_timeout": 60.0, "body_idle_timeout": 60.0, "upload_timeout": 60.0,
        "write_timeout": 60.0, "keep_alive_timeout": 60.0, "max_connections": 1000,
        "tls_cert_file": null, "tls_key_file": null,
        "control_socket": control_socket, "secret": EDGE_SECRET,
    });
    EdgeSettings::from_json(settings.to_string().as_bytes()).unwrap()
}
