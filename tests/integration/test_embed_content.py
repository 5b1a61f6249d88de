"""Gemini's clients get vectors from whoever has them."""

import json
from collections.abc import Iterator

import pytest
from google import genai
from google.genai import types

from tests.conftest import KEYS_ENVIRONMENT, gateway_config
from tests.gateway_process import MASTER_KEY, GatewayProcess


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    config = gateway_config({"model_name": "vectors", "litellm_params": {"model": "mock/embed"}})
    with GatewayProcess(tmp_path_factory.mktemp("embed"), config, env=KEYS_ENVIRONMENT) as running:
        yield running


def test_the_sdk_gets_a_vector_for_each_text(gateway: GatewayProcess) -> None:
    options = types.HttpOptions(base_url=gateway.url)
    client = genai.Client(api_key=MASTER_KEY, http_options=options)

    reply = client.models.embed_content(model="vectors", contents=["one", "two"])

    assert reply.embeddings is not None
    assert [bool(each.values) for each in reply.embeddings] == [True, True]


def test_one_text_gets_one_vector(gateway: GatewayProcess) -> None:
    body = {"content": {"parts": [{"text": "hello"}]}}

    reply = gateway.post("/v1beta/models/vectors:embedContent", body)

    assert reply.status == 200
    assert json.loads(reply.body)["embedding"]["values"]


def test_what_the_other_side_cannot_be_told_is_named(gateway: GatewayProcess) -> None:
    body = {"content": {"parts": [{"text": "hello"}]}, "taskType": "RETRIEVAL_QUERY"}

    reply = gateway.post("/v1beta/models/vectors:embedContent", body)

    assert "taskType" in (reply.header("x-llmgw-dropped") or "")


def test_a_wrong_body_is_refused_in_the_clients_dialect(gateway: GatewayProcess) -> None:
    reply = gateway.post("/v1beta/models/vectors:embedContent", {"content": 5})

    assert reply.status == 400
    assert json.loads(reply.body)["error"]["status"] == "INVALID_ARGUMENT"
