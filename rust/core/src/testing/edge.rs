//! A running edge, and a client that asks it.

use super::{APP_KEY, shop};
use crate::dial::Address;
use crate::edge::{self, EdgeHandle};
use crate::egress::Egress;
use crate::gate::Shop;
use crate::headers::Headers;
use crate::plan::Plan;
use crate::snapshot::EdgeSettings;
use crate::upstream::{Origin, Outgoing, Response};
use bytes::{Bytes, BytesMut};
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
    door: Arc<Origin>,
}

/// A reply, whole.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers as received.
    pub headers: Headers,
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
        let address = Address::Network {
            host: "127.0.0.1".into(),
            port: handle.address.port(),
            tls: None,
            egress: Arc::new(Egress::default()),
        };
        let door = Origin::new(address, "gateway".into(), Duration::from_secs(20));
        RunningEdge { shop, handle, door }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.handle.address.port()
    }

    /// Sends a request with these headers; the reply's head has come when this returns.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: impl Into<Bytes>,
    ) -> Response {
        let extra: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let request =
            Outgoing { method, path, fixed: "", extra: &extra, body: body.into(), sent: None };
        self.door.send(request).await.map_err(|error| format!("{error:?}")).unwrap()
    }

    /// Sends a chat as `app`; the reply's head has come when this returns.
    pub async fn begin_chat(&self, body: &'static str) -> Response {
        let key = format!("Bearer {APP_KEY}");
        let headers = [("authorization", &key[..]), ("content-type", "application/json")];
        self.send("POST", "/v1/chat/completions", &headers, body).await
    }

    /// Sends a chat as `app` and reads the whole reply.
    pub async fn chat(&self, body: &'static str) -> Reply {
        whole(self.begin_chat(body).await).await.unwrap()
    }
}

impl Drop for RunningEdge {
    fn drop(&mut self) {
        self.handle.drain(Duration::ZERO);
    }
}

/// Reads a reply to its end; an error if it ends early.
pub async fn whole(response: Response) -> Result<Reply, ()> {
    let Response { status, headers, body: mut rest } = response;
    let mut body = BytesMut::new();
    while let Some(data) = rest.chunk().await {
        body.extend_from_slice(&data?);
    }
    Ok(Reply { status, headers, body: body.freeze() })
}

fn settings(control_socket: &Path) -> EdgeSettings {
    let settings = json!({
        "host": "127.0.0.1", "port": 0,
        "max_body_bytes": 1_000_000, "max_upload_bytes": 10_000_000, "max_held_bytes": 1_000_000, "max_header_bytes": 32_768,
        "header_timeout": 60.0, "body_idle_timeout": 60.0, "upload_timeout": 60.0,
        "write_timeout": 60.0, "keep_alive_timeout": 60.0, "max_connections": 1000,
        "tls_cert_file": null, "tls_key_file": null, "tls_client_ca_file": null, "tls_client_required": false, "trusted_proxies": [],
        "control_socket": control_socket, "secret": EDGE_SECRET,
        "realtime": {
            "max_sessions": 2, "max_message_bytes": 100_000, "idle_timeout": 60.0, "max_duration": 60.0,
        },
        "responses_folder": control_socket.with_extension("responses"),
        "ledger_folder": null,
        "files_folder": control_socket.with_extension("files"),
    });
    EdgeSettings::from_json(settings.to_string().as_bytes()).unwrap()
}
