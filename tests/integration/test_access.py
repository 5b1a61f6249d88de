"""Who may call: where a key may stand, which are refused, and what each may use."""

import pytest

from tests.conftest import APP_KEY
from tests.gateway_process import JSON_TYPE, MASTER_KEY, GatewayProcess
from tests.upstreams.scripted import ScriptedUpstream

PATH = "/v1/chat/completions"
BODY = b'{"model":"plain","messages":[]}'

SPELLINGS = [
    ("Authorization", "Bearer {}"),
    ("authorization", "bearer {}"),
    ("x-api-key", "{}"),
    ("api-key", "{}"),
    ("x-litellm-api-key", "{}"),
    ("x-litellm-api-key", "Bearer {}"),
]


@pytest.mark.parametrize("name, form", SPELLINGS)
@pytest.mark.parametrize("key", [MASTER_KEY, APP_KEY], ids=["master", "virtual"])
def test_a_key_is_read_from_every_usual_header(
    gateway: GatewayProcess, upstream: ScriptedUpstream, name: str, form: str, key: str
) -> None:
    response = gateway.post(PATH, BODY, None, [JSON_TYPE, (name, form.format(key))])

    assert response.status == 200
    assert key.encode() not in upstream.only_request().raw


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong-key-wrong-key-wrong",
        f"Bearer {MASTER_KEY[:-1]}",
        f"Bearer {MASTER_KEY}x",
        f"Bearer {MASTER_KEY.upper()}",
        f"Bearer {APP_KEY} {MASTER_KEY}",
        f"Basic {MASTER_KEY}",
        MASTER_KEY,
        "Bearer sk-gw-0000000000000000000000000000",
        "Bearer ' OR 1=1; --",
        "Bearer caf\xe9",
        "Bearer " + "x" * 20_000,
    ],
)
def test_a_wrong_key_is_refused_with_401(
    gateway: GatewayProcess, upstream: ScriptedUpstream, value: str
) -> None:
    response = gateway.post(PATH, BODY, None, [JSON_TYPE, ("Authorization", value)])

    assert (response.status, response.error()["code"]) == (401, "invalid_api_key")
    assert response.header("x-request-id")
    assert not upstream.requests
    assert len(value) < 10 or value.encode("latin-1")[7:] not in response.body


def test_a_request_without_a_key_is_refused_with_401(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    response = gateway.post(PATH, BODY, None)

    assert (response.status, response.error()["code"]) == (401, "invalid_api_key")
    assert not upstream.requests


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/plain"])
def test_models_are_not_listed_without_a_key(gateway: GatewayProcess, path: str) -> None:
    response = gateway.get(path, None)

    assert (response.status, response.error()["code"]) == (401, "invalid_api_key")


def test_the_key_is_checked_before_the_body_is_waited_for(gateway: GatewayProcess) -> None:
    with gateway.connect() as client:
        client.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nContent-Length: 1000\r\n\r\n")
        assert client.read_head().status == 401


def test_a_model_that_is_not_in_the_keys_list_is_refused_with_403(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    response = gateway.chat("second", APP_KEY)

    assert (response.status, response.error()["code"]) == (403, "permission_denied")
    assert not upstream.requests


def test_an_unknown_model_is_refused_with_404(gateway: GatewayProcess) -> None:
    response = gateway.chat("no-such-model")

    assert (response.status, response.error()["code"]) == (404, "model_not_found")


def test_an_unknown_model_and_a_forbidden_one_are_not_mixed_up_by_a_restricted_key(
    gateway: GatewayProcess,
) -> None:
    assert gateway.chat("no-such-model", APP_KEY).status in {403, 404}


def test_a_key_lists_only_the_models_it_may_use(gateway: GatewayProcess) -> None:
    listed = gateway.get("/v1/models", APP_KEY).json()

    assert listed["object"] == "list"
    assert [each["id"] for each in listed["data"]] == ["plain"]


@pytest.mark.parametrize("path", ["/v1/models", "/models"])
def test_the_master_key_lists_every_model(gateway: GatewayProcess, path: str) -> None:
    listed = gateway.get(path).json()["data"]

    assert {each["id"] for each in listed} == {"plain", "second", "impatient", "nobody"}
    assert all(each["object"] == "model" and {"created", "owned_by"} <= set(each) for each in listed)


def test_one_model_can_be_looked_up(gateway: GatewayProcess) -> None:
    found = gateway.get("/v1/models/plain")

    assert (found.status, found.json()["id"]) == (200, "plain")
    assert gateway.get("/v1/models/no-such-model").error()["code"] == "model_not_found"
    assert gateway.get("/v1/models/second", APP_KEY).status in {403, 404}


def test_secrets_are_neither_logged_nor_measured(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    gateway.chat("plain", APP_KEY)
    gateway.post(PATH, BODY, "planted-secret-0123456789")
    visible = gateway.log().encode() + gateway.get("/metrics").body + gateway.get("/openapi.json").body

    for secret in (MASTER_KEY, APP_KEY, "planted-secret-0123456789", "upstream-credential"):
        assert secret.encode() not in visible
