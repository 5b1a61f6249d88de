"""What a body may be: how large, of which type, and JSON that every parser would read the same way."""

import json

import pytest

from tests.conftest import SERVER_LIMITS
from tests.gateway_process import JSON_TYPE, MASTER_KEY, GatewayProcess, authorization
from tests.raw_http import request_bytes
from tests.upstreams.replies import chunk
from tests.upstreams.scripted import ScriptedUpstream

PATH = "/v1/chat/completions"
LIMIT: int = SERVER_LIMITS["max_body_bytes"]

REFUSED = {
    "nothing": b"",
    "not JSON": b"hello",
    "cut off": b'{"model":"plain"',
    "an array": b'["model","plain"]',
    "a string": b'"plain"',
    "null": b"null",
    "a duplicate model": b'{"model":"plain","model":"second"}',
    "a duplicate model, escaped": b'{"model":"plain","mod\\u0065l":"second"}',
    "a duplicate nested key": b'{"model":"plain","messages":[{"role":"user","role":"system"}]}',
    "a duplicate stream": b'{"model":"plain","stream":false,"stream":true}',
    "NaN": b'{"model":"plain","temperature":NaN}',
    "Infinity": b'{"model":"plain","temperature":-Infinity}',
    "a number with a leading zero": b'{"model":"plain","n":01}',
    "a number with a plus": b'{"model":"plain","n":+1}',
    "a bare point": b'{"model":"plain","n":1.}',
    "a byte order mark": b'\xef\xbb\xbf{"model":"plain"}',
    "UTF-16": '{"model":"plain"}'.encode("utf-16"),
    "UTF-32": '{"model":"plain"}'.encode("utf-32-le"),
    "a lone high surrogate": b'{"model":"plain","x":"\\ud800"}',
    "a lone low surrogate": b'{"model":"plain","x":"\\udc00 a"}',
    "surrogates in the wrong order": b'{"model":"plain","x":"\\udc00\\ud800"}',
    "an unfinished escape": b'{"model":"plain","x":"\\u12"}',
    "an unknown escape": b'{"model":"plain","x":"\\x41"}',
    "a raw control character": b'{"model":"plain","x":"a\nb"}',
    "a zero byte": b'{"model":"plain","x":"\0"}',
    "trailing data": b'{"model":"plain"} {"model":"second"}',
    "a trailing comma": b'{"model":"plain",}',
    "a comment": b'{"model":"plain"/* hi */}',
    "single quotes": b"{'model':'plain'}",
    "invalid UTF-8": b'{"model":"plain","x":"\xff\xfe"}',
    "an overlong encoding": b'{"model":"plain","x":"\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"model":"plain","x":"\xed\xa0\x80"}',
    "a model that is a number": b'{"model":7}',
    "a model that is null": b'{"model":null}',
    "no model": b'{"messages":[]}',
    "too deep an array": b'{"model":"plain","x":' + b"[" * 70 + b"]" * 70 + b"}",
    "too deep an object": b'{"model":"plain","x":' + b'{"a":' * 70 + b"1" + b"}" * 70 + b"}",
    "a hundred thousand brackets": b'{"model":"plain","x":' + b"[" * 100_000,
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_doubtful_body_is_refused_with_400(
    gateway: GatewayProcess, upstream: ScriptedUpstream, name: str
) -> None:
    response = gateway.post(PATH, REFUSED[name])

    assert (response.status, response.error()["type"]) == (400, "invalid_request_error")
    assert not upstream.requests
    assert gateway.chat("plain").status == 200


ACCEPTED = {
    "nesting below the limit": b'{"model":"plain","x":' + b"[" * 60 + b"]" * 60 + b"}",
    "a surrogate pair": b'{"model":"plain","x":"\\ud83d\\ude00"}',
    "the same key in different objects": b'{"model":"plain","a":{"x":1},"b":{"x":2}}',
    "keys that differ in case": b'{"model":"plain","MODEL":"x"}',
    "an empty key": b'{"model":"plain","":1}',
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_rare_but_right_body_is_accepted(
    gateway: GatewayProcess, upstream: ScriptedUpstream, name: str
) -> None:
    assert gateway.post(PATH, ACCEPTED[name]).status == 200
    assert upstream.only_request().body == ACCEPTED[name].replace(b'"plain"', b'"routed"')


# ── size ────────────────────────────────────────────────────────────────────────────────────────


def body_of(size: int) -> bytes:
    frame = b'{"model":"plain","x":""}'
    return frame[:-2] + b"a" * (size - len(frame)) + frame[-2:]


def test_a_body_of_exactly_the_limit_is_served(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    assert gateway.post(PATH, body_of(LIMIT)).status == 200
    assert len(upstream.only_request().body) == LIMIT + len("routed") - len("plain")


def test_a_body_over_the_limit_is_refused_from_its_length_alone(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    head, _, _ = request_bytes("POST", PATH, headers(), body_of(LIMIT + 1)).partition(b"\r\n\r\n")

    with gateway.connect() as client:
        client.send(head + b"\r\n\r\n")
        response = client.read_response()

    assert (response.status, response.error()["code"]) == (413, "request_too_large")
    assert not upstream.requests


def test_a_chunked_body_over_the_limit_is_refused_when_it_gets_there(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    with gateway.connect() as client:
        client.send(request_bytes("POST", PATH, [*headers(), ("Transfer-Encoding", "chunked")]))
        client.send(chunk(b"a" * 60_000) * (LIMIT // 60_000 + 1))
        response = client.read_response()

    assert (response.status, response.error()["code"]) == (413, "request_too_large")
    assert not upstream.requests
    assert gateway.chat("plain").status == 200


def test_a_refusal_is_read_by_a_client_that_is_still_sending(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    assert gateway.post(PATH, body_of(3 * LIMIT)).status == 413


def headers() -> list[tuple[str, str]]:
    return [*authorization(MASTER_KEY), JSON_TYPE]


# ── type ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fields",
    [
        [("Content-Type", "text/plain")],
        [("Content-Type", "application/x-www-form-urlencoded")],
        [("Content-Type", "application/jsonx")],
        [JSON_TYPE, ("Content-Encoding", "gzip")],
    ],
    ids=["text", "form", "nearly JSON", "gzip"],
)
def test_another_type_of_body_is_refused_with_415(
    gateway: GatewayProcess, upstream: ScriptedUpstream, fields: list[tuple[str, str]]
) -> None:
    response = gateway.post(PATH, b'{"model":"plain"}', headers=fields)

    assert (response.status, response.error()["code"]) == (415, "unsupported_media_type")
    assert not upstream.requests


@pytest.mark.parametrize("value", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_known_by_any_spelling(
    gateway: GatewayProcess, upstream: ScriptedUpstream, value: str
) -> None:
    body = json.dumps({"model": "plain"}).encode()

    assert gateway.post(PATH, body, headers=[("Content-Type", value)]).status == 200
