#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::{deployment, group, plan, snapshot, virtual_key};
use serde_json::{Value, json};

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    Plan::new(snapshot(change), 1, None).err().unwrap()
}

/// A plan whose one deployment has this URL for chats.
fn reached_at(url: &str) -> Arc<Plan> {
    plan(|snapshot| snapshot["deployments"][0]["urls"] = json!({"chat_completions": url}))
}

fn path(plan: &Plan, model: &str) -> Option<String> {
    let path = plan.deployments[0].path(Operation::ChatCompletions, false, model)?;
    Some(path.into_owned())
}

// ── names ───────────────────────────────────────────────────────────────────────────────────────

fn wildcards() -> Arc<Plan> {
    plan(|snapshot| {
        snapshot["groups"] = json!([group("chat", &[0]), group("a/b*", &[0]), group("a/*z", &[0])]);
        snapshot["wildcards"] = json!([
            {"prefix": "a/b", "suffix": "", "group": 1},
            {"prefix": "a/", "suffix": "z", "group": 2},
        ]);
        snapshot["models"]["a/bc"] = json!(0);
    })
}

fn resolved(plan: &Plan, name: &str) -> Option<(usize, String)> {
    plan.resolve(name).map(|resolved| (resolved.group, resolved.matched.to_owned()))
}

#[test]
fn a_name_written_out_wins_over_a_wildcard() {
    assert_eq!(resolved(&wildcards(), "a/bc"), Some((0, "a/bc".into())));
}

#[test]
fn the_first_wildcard_that_fits_wins() {
    assert_eq!(resolved(&wildcards(), "a/bz"), Some((1, "z".into())));
    assert_eq!(resolved(&wildcards(), "a/cz"), Some((2, "c".into())));
}

#[test]
fn a_wildcard_stands_for_at_least_one_character() {
    assert_eq!(resolved(&wildcards(), "a/b"), None);
    assert_eq!(resolved(&wildcards(), "a/z"), None);
}

#[test]
fn prefix_and_suffix_of_a_wildcard_do_not_overlap() {
    let plan = plan(|snapshot| {
        snapshot["wildcards"] = json!([{"prefix": "aa", "suffix": "aa", "group": 0}]);
    });
    assert_eq!(resolved(&plan, "aaa"), None);
    assert_eq!(resolved(&plan, "aabaa"), Some((0, "b".into())));
}

#[test]
fn names_are_compared_to_the_letter() {
    assert_eq!(resolved(&wildcards(), "Chat"), None);
    assert_eq!(resolved(&wildcards(), "A/bx"), None);
}

#[test]
fn what_the_wildcard_matched_stands_in_the_routed_model_once() {
    let plan = plan(|snapshot| snapshot["deployments"][0]["model"] = json!("up-*-*"));
    assert_eq!(plan.deployments[0].routed_model("*x"), "up-*x-*");
}

#[test]
fn a_key_may_use_the_names_and_patterns_it_lists() {
    let plan = plan(|snapshot| {
        snapshot["auth"]["keys"][0]["models"] = json!(["chat", "a/*", "*-mini"]);
    });
    let key = plan.key_named("app").unwrap();
    for (name, may) in
        [("chat", true), ("a/x", true), ("x-mini", true), ("chat2", false), ("b/x", false)]
    {
        assert_eq!(key.may_use(name), may, "{name}");
    }
}

#[test]
fn a_key_sees_the_names_it_may_use_and_the_patterns_of_the_others() {
    let plan = plan(|snapshot| {
        snapshot["wildcards"] = json!([{"prefix": "a/", "suffix": "", "group": 0}]);
        snapshot["models"]["hidden"] = json!(0);
        snapshot["auth"]["keys"][0]["models"] = json!(["chat", "a/x", "gone"]);
    });
    let seen = |alias| plan.visible_models(plan.key_named(alias).unwrap());
    assert_eq!(seen("app"), ["a/x", "chat"]);
    assert_eq!(seen("other"), ["a/*", "chat", "hidden"]);
}

#[test]
fn a_key_sees_the_names_of_its_map_that_lead_somewhere() {
    let plan = plan(|snapshot| {
        let key = &mut snapshot["auth"]["keys"][0];
        key["models"] = json!(["chat"]);
        key["model_map"] = json!({"claude-*": "chat", "gpt-5": "chat", "o3": "gone", "o4": "hidden"});
        snapshot["models"]["hidden"] = json!(0);
    });
    let key = plan.key_named("app").unwrap();
    assert_eq!(plan.visible_models(key), ["chat", "claude-*", "gpt-5"]);
    assert!(plan.leads(key, "claude-x") && !plan.leads(key, "o4"));
}

#[test]
fn a_name_chats_if_a_deployment_behind_it_does() {
    let plan = plan(|snapshot| {
        let mut embeds_only = deployment("two", "http://127.0.0.1:9/v1");
        embeds_only["urls"].as_object_mut().unwrap().remove("chat_completions");
        snapshot["deployments"].as_array_mut().unwrap().push(embeds_only);
        snapshot["groups"] = json!([group("chat", &[0]), group("vectors", &[1])]);
        snapshot["models"] = json!({"chat": 0, "vectors": 1});
    });
    let key = plan.key_named("app").unwrap();
    assert_eq!(["chat", "vectors", "gone"].map(|name| plan.chats(key, name)), [true, false, false]);
}

#[test]
fn only_deployments_that_serve_the_endpoint_are_candidates() {
    let plan = plan(|snapshot| {
        let mut chats_only = deployment("two", "http://127.0.0.1:9/v1");
        chats_only["urls"].as_object_mut().unwrap().remove("embeddings");
        snapshot["deployments"].as_array_mut().unwrap().push(chats_only);
        snapshot["groups"] = json!([group("chat", &[0, 1])]);
    });
    let indexes =
        |operation| plan.candidates(0, operation).iter().map(|one| one.index).collect::<Vec<_>>();
    assert_eq!(indexes(Operation::ChatCompletions), [0, 1]);
    assert_eq!(indexes(Operation::Embeddings), [0]);
    assert!(indexes(Operation::Responses).is_empty());
}

// ── addresses ───────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_plain_url_is_the_same_for_every_model() {
    let plan = reached_at("https://host/v1/chat?x=1");
    assert_eq!(path(&plan, "any").as_deref(), Some("/v1/chat?x=1"));
}

#[test]
fn the_model_in_a_url_is_one_segment_whatever_it_holds() {
    let plan = reached_at("https://host/d/{model}/chat?v=1");
    for (model, segment) in [
        ("gpt-4.1_x~", "gpt-4.1_x~"),
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("a b%", "a%20b%25"),
        ("ü", "%C3%BC"),
        ("{model}", "%7Bmodel%7D"),
        ("a\r\nb", "a%0D%0Ab"),
    ] {
        assert_eq!(path(&plan, model), Some(format!("/d/{segment}/chat?v=1")));
    }
}

#[test]
fn a_model_cannot_climb_out_of_its_place_in_a_url() {
    let plan = reached_at("https://host/d/{model}/chat");
    for model in [".", ".."] {
        assert_eq!(path(&plan, model), None, "{model}");
    }
}

#[test]
fn a_mock_deployment_leads_to_this_process() {
    let snapshot = snapshot(|snapshot| {
        snapshot["deployments"][0]["urls"] = json!({"chat_completions": "mock:///v1/chat?x=1"});
    });
    let plan = Plan::new(snapshot, 4321, None).unwrap();
    assert_eq!(path(&plan, "any").as_deref(), Some("/v1/chat?x=1"));
    assert_eq!(origins(&plan), ["http://127.0.0.1:4321"]);
}

// ── what cannot be used ─────────────────────────────────────────────────────────────────────────

fn set(path: &'static str, value: Value) -> impl FnOnce(&mut Value) {
    move |snapshot| *snapshot.pointer_mut(path).unwrap() = value
}

#[test]
fn a_bad_snapshot_is_refused_in_one_sentence() {
    for (path, value, message) in [
        ("/auth/pepper", json!("secret"), "the pepper is not 32 bytes of hex"),
        ("/auth/keys/0/digest", json!("secret"), "the digest of key app is not 32 bytes of hex"),
        ("/models/chat", json!(1), "a name refers to a model group that does not exist"),
        ("/groups/0/fallbacks", json!([9]), "a name refers to a model group that does not exist"),
        (
            "/groups/0/context_window_fallbacks",
            json!([9]),
            "a name refers to a model group that does not exist",
        ),
        (
            "/wildcards",
            json!([{"prefix": "", "suffix": "", "group": 9}]),
            "a name refers to a model group that does not exist",
        ),
        ("/groups/0/deployments", json!([9]), "group chat names a deployment that does not exist"),
        (
            "/deployments/0/headers",
            json!([["authorization", "Bearer secret\nx"]]),
            "deployment one: a credential or header holds characters that HTTP does not allow",
        ),
        ("/deployments/0/headers", json!([["a secret", "x"]]), "deployment one: a bad header name"),
        ("/deployments/0/urls", json!({}), "deployment one: it has no URL"),
        (
            "/deployments/0/urls",
            json!({"embeddings": "https://a b/secret"}),
            "deployment one: a bad URL",
        ),
        (
            "/deployments/0/urls",
            json!({"embeddings": "ftp://host/secret"}),
            "deployment one: its URL must begin with http:// or https://",
        ),
        (
            "/deployments/0/urls",
            json!({"embeddings": "https://one/secret", "completions": "https://two/secret"}),
            "deployment one: its URLs lead to different hosts",
        ),
        (
            "/deployments/0/headers",
            json!([["authorization", "Bearer sécret"]]),
            "deployment one: a credential or header holds characters that HTTP does not allow",
        ),
        (
            "/deployments/0/urls",
            json!({"embeddings": "/secret"}),
            "deployment one: its URL must begin with http:// or https://",
        ),
        ("/deployments/0/tokenizer", json!("secret"), "deployment one: an unknown tokenizer"),
        ("/egress/allow_networks", json!(["10.0.0.0/99"]), "10.0.0.0/99 is not a network"),
    ] {
        assert_eq!(refusal(set(path, value)), message, "{path}");
    }
}

#[test]
fn a_missing_ca_file_is_named() {
    let message = refusal(set("/egress/ca_file", json!("/nowhere/ca.pem")));
    assert!(message.starts_with("/nowhere/ca.pem: "), "{message}");
}

#[test]
fn a_snapshot_that_cannot_be_read_is_refused_without_any_of_its_text() {
    for text in [r#"{"secret":1}"#, r#"{"version":["secret"]}"#, "secret", ""] {
        let message = Snapshot::from_json(text.as_bytes()).err().unwrap();
        assert!(message.starts_with("the snapshot cannot be read (line "), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
}

// ── keys ────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn keys_are_found_by_their_digest_and_no_other() {
    let plan = plan(|snapshot| snapshot["auth"]["keys"] = json!([virtual_key("app", "one")]));
    assert!(plan.key(&plan.digester.digest(b"one")).is_some());
    assert!(plan.key(&plan.digester.digest(b"two")).is_none());
}

#[test]
fn limits_of_keys_draw_on_buckets_of_their_own() {
    let plan = plan(|snapshot| {
        for index in 0..2 {
            snapshot["auth"]["keys"][index]["rpm"] = json!(5);
            snapshot["auth"]["keys"][index]["tpm"] = json!(5);
        }
    });
    let buckets: std::collections::BTreeSet<u128> = ["app", "other"]
        .iter()
        .map(|alias| plan.key_named(alias).unwrap())
        .flat_map(|key| [key.requests.unwrap().0, key.tokens.unwrap().0])
        .collect();
    assert_eq!(buckets.len(), 4);
}

// ── retry ───────────────────────────────────────────────────────────────────────────────────────

fn retry(by_class: Value) -> Arc<Plan> {
    plan(|snapshot| {
        snapshot["retry"]["retries"] = json!(3);
        snapshot["retry"]["by_class"] = by_class;
    })
}

#[test]
fn a_class_of_failure_may_have_its_own_number_of_retries() {
    let plan = retry(json!({"UpstreamTimeout": 0, "UpstreamOverloaded": 7}));
    assert_eq!(plan.retry.retries(Class::UpstreamTimeout), 0);
    assert_eq!(plan.retry.retries(Class::UpstreamOverloaded), 7);
    assert_eq!(plan.retry.retries(Class::UpstreamUnreachable), 3);
}

#[test]
fn what_cannot_succeed_again_is_not_retried_whatever_is_configured() {
    let plan = retry(json!({"UpstreamAuth": 9, "UpstreamRejected": 9}));
    assert_eq!(plan.retry.retries(Class::UpstreamAuth), 0);
    assert_eq!(plan.retry.retries(Class::UpstreamRejected), 0);
}

#[test]
fn the_wait_doubles_up_to_its_bound_and_keeps_to_its_upper_half() {
    let plan = plan(|snapshot| {
        snapshot["retry"]["backoff_base"] = json!(0.1);
        snapshot["retry"]["backoff_max"] = json!(1.0);
    });
    let mut rng = fastrand::Rng::with_seed(1);
    for (retry, whole) in [(0, 0.1), (1, 0.2), (3, 0.8), (4, 1.0), (40, 1.0), (u32::MAX, 1.0)] {
        let wait = plan.retry.backoff(retry, &mut rng).as_secs_f64();
        assert!((whole / 2.0..=whole).contains(&wait), "{retry}: {wait}");
    }
}

// ── pools ───────────────────────────────────────────────────────────────────────────────────────

fn two_hosts(snapshot: &mut Value) {
    snapshot["deployments"] = json!([
        deployment("one", "http://127.0.0.1:1/v1"),
        deployment("two", "http://127.0.0.1:1/v2"),
        deployment("three", "http://127.0.0.1:2/v1"),
    ]);
}

fn origins(plan: &Plan) -> Vec<&str> {
    plan.pools.origins.keys().map(|(origin, _)| origin.as_str()).collect()
}

#[test]
fn deployments_of_one_host_share_a_pool() {
    assert_eq!(origins(&plan(two_hosts)), ["http://127.0.0.1:1", "http://127.0.0.1:2"]);
}

#[test]
fn a_pool_that_no_deployment_uses_any_more_is_dropped_at_the_reload() {
    let after = Plan::new(
        snapshot(|snapshot| {
            snapshot["deployments"] = json!([deployment("three", "http://127.0.0.1:2/v1")]);
        }),
        1,
        Some(&plan(two_hosts)),
    );
    assert_eq!(origins(&after.unwrap()), ["http://127.0.0.1:2"]);
}
