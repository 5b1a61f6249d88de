#![allow(clippy::unwrap_used)]

mod certified;
mod known;
mod limits;
mod token;

use super::*;
use crate::limits::{Demand, Truth};
use crate::plan::NodeKind;
use crate::snapshot::Operation;
use crate::testing::{
    APP_KEY, CHAT, OTHER_KEY, cache_policy, cached, deployment, group, plan, shop, snapshot,
    virtual_key,
};
use serde_json::{Value, json};

/// A shop, its plan and a desk, as one edge thread has them.
struct Front {
    shop: Shop,
    plan: Arc<Plan>,
    desk: Desk,
}

impl Front {
    fn new(change: impl FnOnce(&mut Value)) -> Self {
        let plan = plan(change);
        Front { shop: shop(Some(plan.clone())), plan, desk: Desk::new() }
    }

    fn with_cache() -> Self {
        Front::new(|snapshot| snapshot["cache"] = cache_policy())
    }

    fn refusal(&self, shown: Option<&str>) -> Error {
        self.shop.authenticate(&self.plan, shown.map(str::as_bytes), None).err().unwrap()
    }

    fn admit_as(&mut self, key: &str, arrival: Arrival) -> Result<Admission> {
        let key = self.shop.authenticate(&self.plan, Some(key.as_bytes()), None).unwrap();
        self.shop.admit(self.plan.clone(), key, &mut self.desk, arrival)
    }

    fn admit(&mut self, body: &str) -> Result<Admission> {
        self.admit_as(APP_KEY, chat(body))
    }

    /// Lets a request in that goes on to dispatch.
    fn call(&mut self, body: &str) -> Box<Call> {
        called(self.admit(body).unwrap())
    }

    /// Lets a request in and remembers `reply` for it, as after a dispatch.
    fn answer(&mut self, body: &str, reply: &'static str) {
        let call = self.call(body);
        self.shop.settle(&call.held, &Truth::default());
        self.desk.answers.put(&self.plan, call.cache_key.unwrap(), cached(reply));
    }

    /// The key `app`'s state: requests and tokens left.
    fn left(&self) -> [u64; 2] {
        let key = self.plan.key_named("app").unwrap();
        let payer = Payer { plan: &self.plan, key, caller: &Caller::default() };
        let bill = paying::bill(payer, "", Demand::default());
        self.shop.counters.states(&bill).map(|state| state.map_or(u64::MAX, |one| one.remaining))
    }

    fn sample(&self, name: &str) -> u64 {
        let text = self.shop.metrics.render();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    }
}

fn chat(body: &str) -> Arrival {
    Arrival {
        caller: Caller::default(),
        route: Route {
            operation: Operation::ChatCompletions,
            model: None,
            stream: false,
            array: false,
        },
        body: Bytes::copy_from_slice(body.as_bytes()),
        no_cache: false,
        strict: false,
        past: Past::None,
        files_at: None,
    }
}

fn of_model(model: &str, body: &str) -> Arrival {
    let arrival = chat(body);
    Arrival { route: Route { model: Some(model.into()), ..arrival.route }, ..arrival }
}

fn called(admission: Admission) -> Box<Call> {
    match admission {
        Admission::Call(call) => call,
        Admission::Hit(..) => panic!("answered from the cache"),
    }
}

/// The cached body, if the answer was known.
fn hit(admission: Result<Admission>) -> Option<Bytes> {
    match admission.unwrap() {
        Admission::Call(_) => None,
        Admission::Hit(_, entry) => Some(entry.body),
    }
}

fn class(result: Result<Admission>) -> Class {
    result.err().unwrap().class
}

fn set_app(snapshot: &mut Value, field: &str, value: impl Into<Value>) {
    snapshot["auth"]["keys"][0][field] = value.into();
}

fn rpm_1(snapshot: &mut Value) {
    set_app(snapshot, "rpm", 1);
}

const WITH_CARD: &str =
    r#"{"model":"chat","messages":[{"role":"user","content":"pay with 4111 1111 1111 1111"}]}"#;

// ── who calls ───────────────────────────────────────────────────────────────────────────────────

#[test]
fn nobody_is_let_in_before_the_first_configuration() {
    assert_eq!(shop(None).plan().err().unwrap().class, Class::NoDeployment);
}

#[test]
fn a_known_key_is_its_owner() {
    let front = Front::new(|_| {});
    let key = front.shop.authenticate(&front.plan, Some(OTHER_KEY.as_bytes()), None).unwrap();
    assert_eq!(&*key.alias, "other");
}

#[test]
fn a_key_that_is_missing_empty_unknown_or_mistyped_is_unauthenticated() {
    let front = Front::new(|_| {});
    for shown in [None, Some(""), Some("stranger"), Some("sk-gw-0123"), Some("app-key-012345678")] {
        assert_eq!(front.refusal(shown).class, Class::Unauthenticated, "{shown:?}");
    }
}

#[test]
fn a_refusal_never_repeats_the_key() {
    let front = Front::new(|snapshot| set_app(snapshot, "blocked", true));
    for shown in ["stranger-0123456789", "sk-gw-0123456789", APP_KEY] {
        assert!(!front.refusal(Some(shown)).message.contains("0123"), "{shown}");
    }
}

#[test]
fn a_blocked_key_is_refused() {
    let front = Front::new(|snapshot| set_app(snapshot, "blocked", true));
    assert_eq!(front.refusal(Some(APP_KEY)).message, "The API key is blocked.");
}

#[test]
fn a_key_is_refused_from_its_last_second_on() {
    let front =
        Front::new(|snapshot| set_app(snapshot, "expires_at", crate::store::unix_seconds()));
    assert_eq!(front.refusal(Some(APP_KEY)).message, "The API key has expired.");
}

#[test]
fn a_key_works_before_it_expires() {
    let front =
        Front::new(|snapshot| set_app(snapshot, "expires_at", crate::store::unix_seconds() + 3600));
    assert!(front.shop.authenticate(&front.plan, Some(APP_KEY.as_bytes()), None).is_ok());
}

// ── the order of admission ──────────────────────────────────────────────────────────────────────

/// Everything wrong with one body: what is checked first is what is reported.
fn strict(snapshot: &mut Value) {
    set_app(snapshot, "rpm", 0);
    set_app(snapshot, "models", json!(["elsewhere"]));
    snapshot["pii"] = json!({"mode": "block"});
}

#[test]
fn an_unreadable_body_is_refused_before_its_model_is_looked_for() {
    assert_eq!(class(Front::new(strict).admit("{")), Class::InvalidRequest);
}

#[test]
fn an_unknown_model_is_refused_before_permission_is_asked() {
    let body = WITH_CARD.replace("chat", "nobody");
    assert_eq!(class(Front::new(strict).admit(&body)), Class::ModelNotFound);
}

fn mapped(snapshot: &mut Value, name: &str, meaning: &str) {
    set_app(snapshot, "model_map", json!({name: meaning}));
}

#[test]
fn a_key_s_own_name_leads_to_the_model_that_it_means() {
    let mut front = Front::new(|snapshot| mapped(snapshot, "claude-*", "chat"));
    let call = front.call(r#"{"model":"claude-x","messages":[]}"#);
    assert_eq!((call.group, call.matched.as_str()), (0, "chat"));
}

#[test]
fn a_map_of_one_key_is_nothing_to_another() {
    let mut front = Front::new(|snapshot| mapped(snapshot, "claude-*", "chat"));
    let asked = chat(r#"{"model":"claude-x","messages":[]}"#);
    assert_eq!(class(front.admit_as(OTHER_KEY, asked)), Class::ModelNotFound);
}

#[test]
fn a_map_does_not_widen_what_a_key_may_use() {
    let mut front = Front::new(|snapshot| {
        mapped(snapshot, "mine", "chat");
        set_app(snapshot, "models", json!(["mine"]));
    });
    let error = front.admit(r#"{"model":"mine","messages":[]}"#).err().unwrap();
    assert_eq!(error.class, Class::PermissionDenied);
    assert!(error.message.contains("`mine`"));
}

#[test]
fn a_key_may_ask_by_a_name_that_is_not_among_its_models_if_what_it_means_is() {
    let mut front = Front::new(|snapshot| {
        mapped(snapshot, "mine", "chat");
        set_app(snapshot, "models", json!(["chat"]));
    });
    assert_eq!(front.call(r#"{"model":"mine","messages":[]}"#).group, 0);
}

#[test]
fn a_forbidden_model_is_refused_before_the_input_is_scanned() {
    assert_eq!(class(Front::new(strict).admit(WITH_CARD)), Class::PermissionDenied);
}

#[test]
fn the_guardrail_refuses_before_the_limits_do() {
    let mut front = Front::new(|snapshot| {
        strict(snapshot);
        set_app(snapshot, "models", Value::Null);
    });
    assert_eq!(class(front.admit(WITH_CARD)), Class::GuardrailBlocked);
}

#[test]
fn the_limits_come_last() {
    let mut front = Front::new(|snapshot| {
        strict(snapshot);
        set_app(snapshot, "models", Value::Null);
    });
    assert_eq!(class(front.admit(CHAT)), Class::RateLimited);
}

#[test]
fn a_refused_model_is_named_short_and_without_control_characters() {
    let name = format!("no\\u0000\\u001b[31m{}", "x".repeat(500));
    let body = format!(r#"{{"model":"{name}","messages":[]}}"#);
    let error = Front::new(|_| {}).admit(&body).err().unwrap();
    let shown = format!("no[31m{}", "x".repeat(94));
    assert_eq!(error.message, format!("The model `{shown}` does not exist here."));
}

#[test]
fn refusals_of_a_model_blame_the_field_model() {
    let mut front = Front::new(|snapshot| set_app(snapshot, "models", json!([])));
    for body in [CHAT, r#"{"model":"nobody"}"#, r#"{"model":5}"#, "{}"] {
        assert_eq!(front.admit(body).err().unwrap().param.as_deref(), Some("model"), "{body}");
    }
}

#[test]
fn the_model_of_the_path_wins_over_that_of_the_body() {
    let body = CHAT.replace("chat", "nobody");
    let arrival = of_model("chat", &body);
    let admission = Front::new(|_| {}).admit_as(APP_KEY, arrival).unwrap();
    assert_eq!(called(admission).model_label(), "chat");
}

// ── the guardrail ───────────────────────────────────────────────────────────────────────────────

#[test]
fn a_blocked_request_is_told_the_kind_of_the_finding_and_not_the_finding() {
    let mut front = Front::new(|snapshot| snapshot["pii"] = json!({"mode": "block"}));
    let message = front.admit(WITH_CARD).err().unwrap().message;
    assert!(message.contains("CREDIT_CARD") && !message.contains("4111"), "{message}");
}

#[test]
fn a_monitored_finding_is_counted_and_let_pass() {
    let mut front = Front::new(|snapshot| snapshot["pii"] = json!({"mode": "monitor"}));
    front.call(WITH_CARD);
    let name = r#"llmgw_guardrail_requests_total{guardrail="pii",action="monitor"}"#;
    assert_eq!(front.sample(name), 1);
}

#[test]
fn an_escaped_finding_is_found_all_the_same() {
    let mut front = Front::new(|snapshot| snapshot["pii"] = json!({"mode": "block"}));
    let escaped = WITH_CARD.replace("4111 1111", "\\u0034111 111\\u0031");
    assert_eq!(class(front.admit(&escaped)), Class::GuardrailBlocked);
}
