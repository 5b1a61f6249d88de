"""What never passes: models and data that a policy keeps in, other paths and hosts, credentials, cookies."""

import json

import pytest

from tests.gateway_process import MASTER_KEY, GatewayProcess, authorization
from tests.integration.pass_through.asking import JSON, send
from tests.integration.pass_through.conftest import GRANTED_KEY, LIMITED_KEY, NARROW_KEY, OPEN_KEY, root_of
from tests.raw_http import request_bytes
from tests.upstreams import replies
from tests.upstreams.scripted import ScriptedUpstream

CARD = "my card is 4111 1111 1111 1111 and my mail is ann.example@example.com"
FORM = ("Content-Type", "multipart/form-data; boundary=b")


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


# ── who may ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", [None, "wrong-key-0123456789"])
def test_nobody_passes_without_a_key(
    gateway: GatewayProcess, upstream: ScriptedUpstream, key: str | None
) -> None:
    response = send(gateway, "GET", "/anthropic/v1/models", key=key)
    assert (response.status, response.json()["error"]["type"]) == (401, "authentication_error")
    assert not upstream.requests


@pytest.mark.parametrize(
    ("key", "path", "status"),
    [
        (MASTER_KEY, "/vendor/v1/files", 200),
        (OPEN_KEY, "/vendor/v1/files", 200),
        (NARROW_KEY, "/gemini/v1beta/files", 200),
        (NARROW_KEY, "/vendor/v1/files", 403),
        (LIMITED_KEY, "/vendor/v1/files", 403),
        (GRANTED_KEY, "/vendor/v1/files", 200),
    ],
)
def test_a_key_passes_where_it_may(gateway: GatewayProcess, key: str, path: str, status: int) -> None:
    assert send(gateway, "GET", path, key=key).status == status


def test_a_method_that_is_not_let_through_is_refused(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    assert send(gateway, "POST", "/based/v1/x", b"{}", [JSON]).status == 405
    for method in ("OPTIONS", "TRACE", "PROPFIND"):
        assert send(gateway, method, "/vendor/v1/x").status == 405
    assert not upstream.requests


# ── models ──────────────────────────────────────────────────────────────────────────────────────

ALLOWED = [
    ("/anthropic/v1/messages", {"model": "claude-haiku-4-5"}),
    ("/anthropic/v1/messages/batches", {"requests": [{"params": {"model": "claude-haiku-4-5"}}]}),
    ("/gemini/v1beta/models/flash:generateContent", {}),
    ("/gemini/v1beta/models/flash:batchEmbedContents", {"requests": [{"model": "models/flash"}]}),
    ("/bedrock/model/allowed.one/converse", {}),
    ("/vendor/v1/x", {"model": "routed"}),  # what the public name `plain` leads to at this host
    ("/anthropic/v1/messages", {"model": "claude-haiku-4-5", "messages": [{"input": {"model": "T"}}]}),
]
FORBIDDEN = [
    ("/anthropic/v1/messages", {"model": "claude-opus-4-5"}),
    ("/anthropic/v1/messages", {"model": "routed-too"}),
    ("/anthropic/v1/messages/batches", {"requests": [{"params": {"model": "claude-opus-4-5"}}]}),
    ("/anthropic/v1/messages", {"model": "claude-haiku-4-5", "fallback_models": ["claude-opus-4-5"]}),
    ("/gemini/v1beta/models/pro:generateContent", {}),
    ("/gemini/v1beta/models/pro%3AgenerateContent", {}),
    ("/gemini/v1beta/m%6fdels/pro:generateContent", {}),
    ("/gemini/v1beta/tunedModels/mine:generateContent", {}),
    ("/gemini/v1beta/models/flash:generateContent", {"model": "models/pro"}),
    ("/bedrock/model/other.one/converse", {}),
    ("/azure/openai/deployments/d/chat/completions", {}),
    ("/azure/openai/Deployments/d/chat/completions", {}),
    ("/vendor/v1/x", {"model": "plain"}),  # a public name here is not the host's name of it
    ("/vendor/v1/x?model=gpt-5", {"model": "routed"}),
    ("/vendor/v1/x", {"model": "routed", "models": [{"x": 1}, "gpt-5"]}),
    ("/vendor/v1/x", {"model": "routed", "baseModelName": "gpt-5"}),
    ("/vendor/v1/threads/t/runs", {"assistant_id": "a"}),
    ("/vendor/v1/x", {}),
]


@pytest.mark.parametrize(("path", "fields"), ALLOWED, ids=str)
def test_a_key_that_is_limited_to_models_may_use_them(
    gateway: GatewayProcess, path: str, fields: dict[str, object]
) -> None:
    assert send(gateway, "POST", path, body(**fields), [JSON], key=GRANTED_KEY).status == 200


@pytest.mark.parametrize(("path", "fields"), FORBIDDEN, ids=str)
def test_and_no_others(
    gateway: GatewayProcess, upstream: ScriptedUpstream, path: str, fields: dict[str, object]
) -> None:
    response = send(gateway, "POST", path, body(**fields), [JSON], key=GRANTED_KEY)
    assert response.status == 403, response.body
    assert not upstream.requests


@pytest.mark.parametrize(
    ("raw", "headers"),
    [
        (b'{"model":"routed","model":"gpt-5"}', [JSON]),
        (b'{"mod\\u0065l":"gpt-5"}', [JSON]),
        (b'{"model":"gpt-5"}', [("Content-Type", "text/plain")]),
        (b'{"model":"gpt-5"}', []),
        ('{"model":"gpt-5"}'.encode("utf-16"), [("Content-Type", "application/json; charset=utf-16")]),
        (b'\xef\xbb\xbf{"model":"gpt-5"}', [JSON]),
        (
            b'{"model":"routed","x":"&model=gpt-5"}',
            [JSON, ("Content-Type", "application/x-www-form-urlencoded")],
        ),
        (b'[{"model":"gpt-5"}]', [JSON]),
        (b'{"model":"routed"} {"model":"gpt-5"}', [JSON]),
        (b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-5\r\n--b--\r\n', [FORM]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_body_that_hides_its_model_does_not_pass(
    gateway: GatewayProcess, upstream: ScriptedUpstream, raw: bytes, headers: list[tuple[str, str]]
) -> None:
    response = send(gateway, "POST", "/vendor/v1/x", raw, headers, key=GRANTED_KEY)
    assert response.status in (400, 403), response.body
    assert not upstream.requests


# ── personal data ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/anthropic/v1/messages", {"model": "m", "messages": [{"role": "user", "content": CARD}]}),
        ("/anthropic/v1/messages", {"model": "m", "system": CARD, "messages": []}),
        ("/anthropic/v1/messages/batches", {"requests": [{"params": {"messages": [{"content": CARD}]}}]}),
        ("/vendor/v1/threads/t/messages", {"role": "user", "content": CARD}),
        ("/vendor/v1/anything", {"deep": [{"down": {CARD: 1}}]}),
        ("/gemini/v1beta/models/g:generateContent", {"contents": [{"parts": [{"text": CARD}]}]}),
        ("/gemini/v1beta/cachedContents", {"contents": [{"parts": [{"text": CARD}]}]}),
        ("/bedrock/model/m/converse", {"messages": [{"role": "user", "content": [{"text": CARD}]}]}),
        ("/bedrock/model/m/invoke", {"prompt": CARD}),
        ("/cohere/v2/chat", {"messages": [{"role": "user", "content": CARD}]}),
    ],
    ids=str,
)
def test_personal_data_does_not_leave(
    guarded: GatewayProcess, upstream: ScriptedUpstream, path: str, fields: dict[str, object]
) -> None:
    response = send(guarded, "POST", path, body(**fields), [JSON])
    assert response.status == 400, response.body
    assert b"may not leave" in response.body
    assert not upstream.requests


@pytest.mark.parametrize(
    ("raw", "headers"),
    [
        (CARD.encode(), [("Content-Type", "text/plain")]),
        (b'{"custom_id":"1"}\n', [("Content-Type", "application/jsonl")]),
        (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n', [FORM]),
        (b"\x00\x01", [("Content-Type", "application/octet-stream")]),
        (b"{}", []),
        (b'{"a":1', [JSON]),
        (b'"text"', [JSON]),
        (body(text=CARD), [("Content-Type", 'application/json; charset="utf-7"')]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_scanned_does_not_leave(
    guarded: GatewayProcess, upstream: ScriptedUpstream, raw: bytes, headers: list[tuple[str, str]]
) -> None:
    response = send(guarded, "POST", "/vendor/v1/files", raw, headers)
    assert response.status == 400, response.body
    assert not upstream.requests


def test_what_holds_none_passes(guarded: GatewayProcess, upstream: ScriptedUpstream) -> None:
    fields = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    assert send(guarded, "POST", "/anthropic/v1/messages", body(**fields), [JSON]).status == 200
    assert send(guarded, "GET", "/vendor/v1/files").status == 200
    assert send(guarded, "DELETE", "/vendor/v1/files/f").status == 200
    assert len(upstream.requests) == 3


def test_a_body_that_has_to_be_read_is_held_up_to_a_bound(
    guarded: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    large = body(text="a" * 1_000_001)
    assert send(guarded, "POST", "/vendor/v1/x", large, [JSON]).status == 413
    assert send(guarded, "POST", "/bedrock/model/m/invoke", large, [JSON]).status == 413
    assert not upstream.requests


# ── paths ───────────────────────────────────────────────────────────────────────────────────────

PATHS = [
    "/anthropic/v1/organizations",
    "/anthropic/v1/messagesx",
    "/anthropic/v1/../v1/organizations",
    "/anthropic/v1/messages/../organizations",
    "/anthropic/v1/messages/%2e%2e/organizations",
    "/anthropic/v1/messages/.%2E/organizations",
    "/anthropic/v1/messages/..%2forganizations",
    "/anthropic/v1/messages%2f..%2forganizations",
    "/anthropic/v1/messages/%252e%252e/organizations",
    "/anthropic/v1/messages/%c0%ae%c0%ae/organizations",
    "/anthropic/v1/messages/..;/organizations",
    "/anthropic/v1/messages/..%3b/organizations",
    "/anthropic/v1/messages/..\\organizations",
    "/anthropic/v1/messages/..%5corganizations",
    "/anthropic//v1/messages",
    "/anthropic/v1//messages",
    "/anthropic//evil.example/v1/messages",
    "/anthropic/@evil.example/v1/messages",
    "/anthropic/:80/v1/messages",
    "/anthropic/%2f%2fevil.example/v1/messages",
    "/anthropic/http://evil.example/v1/messages",
    "/anthropic/v1/messages%0d%0aHost:%20evil.example",
    "/anthropic/v1/messages/%00",
    "/anthropic/v1/messages/%0a",
    "/anthropic/v1/messages/%7f",
    "/anthropic/v1/messages%3fkey=x",
    "/anthropic/v1/messages%23x",
    "/anthropic/v1/messages%",
    "/anthropic/v1/messages%zz",
    "/anthropic/%76%31/messages",
    "/anthropic/V1/messages",
    "/%61nthropic/v1/messages",
    "/./anthropic/v1/messages",
    "/x/../anthropic/v1/messages",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_elsewhere(gateway: GatewayProcess, upstream: ScriptedUpstream, path: str) -> None:
    assert send(gateway, "GET", path, key=MASTER_KEY).status in (400, 403, 404)
    assert not upstream.requests


@pytest.mark.parametrize("target", ["http://evil.example/anthropic/v1/models", "*", "anthropic/v1/models"])
def test_no_other_form_of_target_is_taken(
    gateway: GatewayProcess, upstream: ScriptedUpstream, target: str
) -> None:
    assert send(gateway, "GET", target, key=MASTER_KEY).status == 400
    assert not upstream.requests


@pytest.mark.parametrize(
    "header", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-Host"]
)
def test_no_header_leads_elsewhere(gateway: GatewayProcess, upstream: ScriptedUpstream, header: str) -> None:
    send(gateway, "GET", "/anthropic/v1/models", headers=[(header, "/v1/organizations")])
    request = upstream.only_request()
    assert (request.path, request.header(header)) == ("/v1/models", None)
    assert request.header("host") == root_of(upstream).removeprefix("http://")


# ── headers ─────────────────────────────────────────────────────────────────────────────────────


def test_what_is_the_clients_own_stays_with_it(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    headers = [
        ("Cookie", "session=1"),
        ("Proxy-Authorization", "Basic x"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("Forwarded", "for=10.0.0.1"),
        ("Via", "1.1 x"),
        ("TE", "trailers"),
        ("Keep-Alive", "timeout=5"),
        ("Connection", "keep-alive, anthropic-beta"),
        ("Accept-Encoding", "gzip, br"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Idempotency-Key", "1"),
        ("OpenAI-Organization", "org-theirs"),
        ("X-Goog-User-Project", "theirs"),
        ("X-Amz-Security-Token", "theirs"),
        ("X-Llmgw-Strict", "true"),
        ("X-Anything", "1"),
        ("User-Agent", "sdk/1"),
        ("X-Stainless-Lang", "python"),
    ]
    assert send(gateway, "GET", "/vendor/v1/files", headers=headers).status == 200
    names = {name for name, _ in upstream.only_request().headers}
    ours = {"host", "authorization", "accept-encoding", "x-request-id"}
    assert names - ours == {"user-agent", "x-stainless-lang"}
    assert upstream.requests[0].header("accept-encoding") == "identity"


def test_what_is_the_operators_own_stays_here(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    theirs = [
        ("set-cookie", "a=b"),
        ("server", "vendor"),
        ("openai-organization", "org-ours"),
        ("x-goog-upload-url", "https://vendor.example/upload"),
        ("www-authenticate", "Bearer"),
        ("alt-svc", "h3"),
        ("strict-transport-security", "max-age=1"),
        ("etag", '"e"'),
    ]
    upstream.then(replies.reply(b"{}", headers=theirs))
    response = send(gateway, "GET", "/vendor/v1/files")
    assert [name for name, _ in theirs if response.header(name) is not None] == ["etag"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "place", ["http://evil.example/v1/x", "//evil.example/v1/x", "/v2/x", "/\\evil.example", ""]
)
def test_redirects_are_neither_followed_nor_told(
    gateway: GatewayProcess, upstream: ScriptedUpstream, status: int, place: str
) -> None:
    upstream.then(replies.reply(b"", status, headers=[("location", place)]))
    response = send(gateway, "GET", "/vendor/v1/files")
    assert (response.status, response.header("location")) == (502, None)
    assert b"evil" not in response.body
    assert len(upstream.requests) == 1


def test_a_redirect_below_the_same_paths_is_told_as_ours(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    for place in (f"{root_of(upstream)}/v1/y?a=1", "/v1/y?a=1"):
        upstream.then(replies.reply(b"", 307, headers=[("location", place)]))
        response = send(gateway, "GET", "/vendor/v1/files")
        assert (response.status, response.header("location")) == (307, "/vendor/v1/y?a=1")


def test_a_location_elsewhere_is_not_told_with_other_replies_either(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.reply(b"{}", 201, headers=[("location", "https://evil.example/")]))
    response = send(gateway, "POST", "/vendor/v1/x", b"{}", [JSON])
    assert (response.status, response.header("location")) == (201, None)


def test_no_connection_becomes_another_protocols(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    headers = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    assert send(gateway, "GET", "/vendor/v1/realtime", headers=headers).status == 400
    assert not upstream.requests
    upstream.then(replies.reply(b"", 101))
    assert send(gateway, "GET", "/vendor/v1/realtime").status == 502


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_body_where_none_belongs_is_refused(
    gateway: GatewayProcess, upstream: ScriptedUpstream, method: str
) -> None:
    smuggled = b"POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    assert send(gateway, method, "/vendor/v1/files", smuggled).status == 400
    assert not upstream.requests


def test_a_credential_that_the_provider_refuses_is_not_quoted(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    for path, status in (("/anthropic/v1/models", 401), ("/bedrock/model/m/x", 403)):
        upstream.then(replies.reply(b'{"message":"the key sk-operator is wrong"}', status))
        response = send(gateway, "GET", path)
        assert (response.status, b"sk-operator" in response.body) == (502, False)


def test_a_body_that_ends_early_reaches_no_one_as_whole(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    with gateway.connect() as client:
        head = [*authorization(OPEN_KEY), ("Content-Length", "100")]
        client.send(request_bytes("POST", "/vendor/v1/uploads", head) + b"12345")
        request = upstream.wait_for_requests(1)[0]
    assert request.connection.peer_closed.wait(10)
    assert len(request.body) < 100
