//! What tests of the request's path start from: small snapshots, a shop, an edge, an upstream.

#![allow(clippy::unwrap_used)]

pub mod certificates;
pub mod edge;
pub mod mint;
pub mod server;

use crate::balancer::Balancer;
use crate::cache::{CachedHead, Entry};
use crate::directory::Directory;
use crate::gate::{Shop, Tokens};
use crate::keys::{Digester, to_hex};
use crate::ledger::Ledger;
use crate::limits::Counters;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::plan::Plan;
use crate::shm::Shared;
use crate::snapshot::Snapshot;
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;

/// The pepper of every snapshot here.
pub const PEPPER: [u8; 32] = [7; 32];
/// What the client `app` shows.
pub const APP_KEY: &str = "app-key-0123456789";
/// What the client `other` shows.
pub const OTHER_KEY: &str = "other-key-0123456789";
/// A small chat.
pub const CHAT: &str = r#"{"model":"chat","messages":[{"role":"user","content":"hello"}]}"#;

/// A virtual key that may do everything, without limits.
pub fn virtual_key(alias: &str, key: &str) -> Value {
    let digest = to_hex(&Digester::new(&PEPPER).digest(key.as_bytes()));
    json!({
        "alias": alias, "digest": digest, "admin": false, "models": null, "model_map": {},
        "pass_through": null, "endpoints": null, "networks": null, "regions": null, "tags": [],
        "priority": null,
        "certificates": null, "expires_at": null, "blocked": false, "rpm": null, "tpm": null, "limits": [],
        "budgets": [],
    })
}

/// A model group of these deployments.
pub fn group(name: &str, deployments: &[usize]) -> Value {
    json!({
        "name": name, "deployments": deployments,
        "fallbacks": [], "context_window_fallbacks": [],
    })
}

/// A deployment that serves chats and embeddings under a base URL.
pub fn deployment(id: &str, base: &str) -> Value {
    json!({
        "id": id, "provider": "scripted", "region": null, "model": "routed",
        "urls": {
            "chat_completions": format!("{base}/chat/completions"),
            "embeddings": format!("{base}/embeddings"),
        },
        "headers": [["authorization", "Bearer upstream-credential"]],
        "weight": 1, "order": 0, "stream_usage": true, "stream_urls": {}, "files_url": null, "token_headers": [], "signing": null, "original": true,
        "native_schema": true, "reasoning": true, "takes_urls": true, "body_style": "plain",
        "base_model": null, "max_output_tokens": null, "max_concurrent": null, "price": null,
        "tokenizer": "o200k",
        "timeouts": {"connect": 20.0, "first_byte": 60.0, "idle": 60.0, "total": 120.0},
    })
}

/// A snapshot of one group `chat` of one deployment, for the keys `app` and `other`, changed by the test.
pub fn snapshot(change: impl FnOnce(&mut Value)) -> Snapshot {
    let mut value = json!({
        "version": "1",
        "auth": {
            "pepper": to_hex(&PEPPER),
            "keys": [virtual_key("app", APP_KEY), virtual_key("other", OTHER_KEY)],
        },
        "routes": {
            "/v1/chat/completions": "chat_completions",
            "/v1/embeddings": "embeddings",
        },
        "models": {"chat": 0},
        "wildcards": [],
        "groups": [group("chat", &[0])],
        "deployments": [deployment("one", "http://127.0.0.1:9/v1")],
        "retry": {
            "retries": 0, "by_class": {}, "backoff_base": 0.01, "backoff_max": 1.0,
            "allowed_fails": 1000, "cooldown": 1.0,
        },
        "cache": null,
        "pii": null,
        "responses": null,
        "pass_through": [],
        "files": null,
        "any_file_id": false,
        "egress": {"allow_networks": [], "ca_file": null},
        "media": null,
        "limits": [],
        "pricing": {"unknown": "free", "ceiling_input": 0, "ceiling_output": 0},
        "jwt": [],
    });
    change(&mut value);
    Snapshot::from_json(value.to_string().as_bytes()).unwrap()
}

/// The plan of such a snapshot.
pub fn plan(change: impl FnOnce(&mut Value)) -> Arc<Plan> {
    Arc::new(Plan::new(snapshot(change), 1, None).unwrap())
}

/// A shop of this process alone, with or without a plan in force.
pub fn shop(plan: Option<Arc<Plan>>) -> Shop {
    let shared = Shared::anonymous().unwrap();
    Shop {
        plan: plan.into(),
        directory: Directory::default(),
        tokens: Tokens::new(shared.clone()),
        counters: Counters::new(shared.clone(), 0),
        balancer: Balancer::new(shared.clone()),
        metrics: Metrics::new(shared, 0),
        log: Log::default(),
        ledger: Ledger::default(),
    }
}

/// A reply fit for the cache.
pub fn cached(body: &'static str) -> Entry {
    Entry {
        head: CachedHead {
            status: 200,
            content_type: Bytes::from_static(b"application/json"),
            dropped: "".into(),
        },
        body: Bytes::from_static(body.as_bytes()),
        deployment: 0,
        saved: 0,
    }
}

/// The policy of a snapshot that stores responses.
pub fn responses_policy() -> Value {
    json!({"keep": 3600.0, "max_bytes": 1_u64 << 30, "max_entry_bytes": 100_000_000})
}

/// The policy of a snapshot that serves files.
pub fn files_policy() -> Value {
    json!({"keep": 3600.0, "max_bytes": 1_u64 << 30})
}

/// The switched-on cache of a snapshot.
pub fn cache_policy() -> Value {
    json!({"ttl": 600.0, "max_bytes": 1_000_000, "max_entry_bytes": 10_000})
}
