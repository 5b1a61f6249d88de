"""What every answer carries, and the endpoints that are not about models."""

import pytest

from tests.gateway_process import JSON_TYPE, GatewayProcess, wait_until
from tests.upstreams import replies
from tests.upstreams.scripted import ScriptedUpstream

HEALTH = ["/health/readiness", "/health/liveliness", "/health/liveness", "/healthz", "/livez", "/readyz"]


@pytest.mark.parametrize("path", HEALTH)
def test_health_answers_without_a_key(gateway: GatewayProcess, path: str) -> None:
    assert gateway.get(path, None).status == 200


def test_metrics_are_in_the_text_format_and_count_requests(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    def requests_counted() -> float:
        samples = gateway.metrics().items()
        return sum(v for k, v in samples if k.startswith("llmgw_requests_total") and 'model="plain"' in k)

    before = requests_counted()
    gateway.chat("plain")

    wait_until(lambda: requests_counted() == before + 1, "the request is counted", timeout=10)
    assert (gateway.get("/metrics").header("content-type") or "").startswith("text/plain")


def test_the_reload_metric_is_there_from_the_start(gateway: GatewayProcess) -> None:
    assert gateway.metrics()["llmgw_config_last_reload_successful"] == 1


def test_the_api_describes_itself(gateway: GatewayProcess) -> None:
    described = gateway.get("/openapi.json").json()

    assert described["openapi"].startswith("3.")
    assert "post" in described["paths"]["/v1/chat/completions"]


def test_an_answer_names_its_request_deployment_and_attempts(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    response = gateway.chat("plain")

    assert response.header("x-request-id")
    assert response.header("x-llmgw-deployment")
    assert response.header("x-llmgw-attempts") == "1"


def test_a_stream_is_marked_as_one_that_nobody_should_buffer(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    response = gateway.chat("plain", stream=True)

    assert (response.header("content-type") or "").startswith("text/event-stream")
    assert response.header("cache-control") == "no-cache"
    assert response.header("x-accel-buffering") == "no"


def test_request_ids_are_unique(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    assert len({gateway.chat("plain").header("x-request-id") for _ in range(20)}) == 20


def test_a_request_id_of_the_client_is_kept(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    response = gateway.post(
        "/v1/chat/completions", b'{"model":"plain"}', headers=[JSON_TYPE, ("x-request-id", "client-id-7")]
    )

    assert response.header("x-request-id") == "client-id-7"


@pytest.mark.parametrize("value", ["a" * 5000, "caf\xe9", 'a"b\\c'])
def test_a_request_id_that_could_do_harm_is_replaced_or_kept_harmless(
    gateway: GatewayProcess, upstream: ScriptedUpstream, value: str
) -> None:
    response = gateway.post(
        "/v1/chat/completions", b'{"model":"plain"}', headers=[JSON_TYPE, ("x-request-id", value)]
    )

    echoed = response.header("x-request-id") or ""
    assert response.status in {200, 400}
    assert 0 < len(echoed) <= 256
    assert echoed.isascii()


def test_an_error_carries_a_request_id_too(gateway: GatewayProcess) -> None:
    assert gateway.chat("no-such-model").header("x-request-id")


def test_a_model_name_full_of_control_characters_is_told_as_json(gateway: GatewayProcess) -> None:
    response = gateway.chat('no\r\nX-Injected: 1\n\u2028\x1b[31m"model')

    assert response.status == 404
    assert response.header("x-injected") is None
    assert response.error()["code"] == "model_not_found"
    assert "\x1b" not in gateway.log()


def test_the_default_reply_of_the_upstream_is_what_clients_get(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    assert gateway.chat("plain").body == replies.CHAT_BODY
