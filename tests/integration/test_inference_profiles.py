"""Inference profiles of Bedrock, whose ARNs do not say which model they lead to."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import StartGateway, gateway_config
from tests.gateway_process import GatewayProcess
from tests.upstreams.vendors import bedrock_converse
from tests.upstreams.vendors.vendor import VendorUpstream

PROFILE = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/k7r2"
ASKED = {
    "max_tokens": 2000,
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [{"role": "user", "content": "Hello"}],
}


@pytest.fixture
def upstream() -> Iterator[VendorUpstream]:
    with VendorUpstream(bedrock_converse.VENDOR) as running:
        yield running
        assert not running.refused


@pytest.fixture
def gateway(start_gateway: StartGateway, upstream: VendorUpstream) -> GatewayProcess:
    params = {
        "model": f"bedrock/{PROFILE}",
        "api_base": upstream.root,
        "aws_access_key_id": bedrock_converse.ACCESS_KEY,
        "aws_secret_access_key": bedrock_converse.SECRET_KEY,
    }
    told: dict[str, Any] = {"base_model": "anthropic.claude-sonnet-4-5-20250929-v1:0"}
    return start_gateway(
        gateway_config(
            {"model_name": "told", "litellm_params": params, "model_info": told},
            {"model_name": "opaque", "litellm_params": params},
        )
    )


def test_a_base_model_says_what_a_profile_takes(gateway: GatewayProcess, upstream: VendorUpstream) -> None:
    reply = gateway.post("/v1/messages", {"model": "told", **ASKED})
    request = upstream.only_request()

    assert (reply.status, reply.header("x-llmgw-dropped")) == (200, None)
    assert "application-inference-profile%2Fk7r2/converse" in request.path
    assert request.json()["additionalModelRequestFields"]["thinking"]["type"] == "enabled"
    assert "cachePoint" in request.json()["system"][-1]


def test_an_opaque_profile_gets_what_every_model_takes(
    gateway: GatewayProcess, upstream: VendorUpstream
) -> None:
    reply = gateway.post("/v1/messages", {"model": "opaque", **ASKED})
    body = upstream.only_request().json()

    assert reply.status == 200
    dropped = reply.header("x-llmgw-dropped") or ""
    assert "thinking" in dropped
    assert "cache_control" in dropped
    assert body["system"] == [{"text": "Be brief."}]
    assert "additionalModelRequestFields" not in body
