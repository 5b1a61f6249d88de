"""Vectors of Vertex AI's models, through the SDKs of OpenAI and Google."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from google import genai
from google.genai import types

from tests.conftest import KEYS_ENVIRONMENT, gateway_config
from tests.gateway_process import MASTER_KEY, GatewayProcess
from tests.upstreams.vendors import vertex_embeddings
from tests.upstreams.vendors.vendor import CREDENTIAL, VendorUpstream
from tests.upstreams.vendors.vertex_embeddings import vector

MODELS = {"predict": "text-embedding-005", "gemini": "gemini-embedding-001", "open": "embeddinggemma-maas"}
TEXTS = ["one", "two words"]
SEVERAL = ["predict", "gemini"]


@pytest.fixture(scope="module")
def upstream() -> Iterator[VendorUpstream]:
    with VendorUpstream(vertex_embeddings.VENDOR) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, upstream: VendorUpstream) -> Iterator[GatewayProcess]:
    config = gateway_config(*(entry(name, upstream) for name in MODELS))
    with GatewayProcess(tmp_path_factory.mktemp("vertex"), config, env=KEYS_ENVIRONMENT) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_is_refused(upstream: VendorUpstream) -> Iterator[None]:
    upstream.forget()
    yield
    assert not upstream.refused


def entry(name: str, upstream: VendorUpstream) -> dict[str, Any]:
    params = {"model": f"vertex_ai/{MODELS[name]}", "api_base": upstream.root, "api_key": CREDENTIAL}
    return {"model_name": name, "litellm_params": params}


@pytest.fixture
def client(gateway: GatewayProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=MASTER_KEY, max_retries=0) as client:
        yield client


def google(gateway: GatewayProcess, *, cloud: bool) -> genai.Client:
    options = types.HttpOptions(base_url=gateway.url)
    return genai.Client(vertexai=cloud, api_key=MASTER_KEY, http_options=options)


@pytest.mark.parametrize("model", SEVERAL)
def test_openais_sdk_gets_a_vector_for_each_text(client: openai.OpenAI, model: str) -> None:
    reply = client.embeddings.create(model=model, input=TEXTS, dimensions=4)

    assert [each.embedding for each in reply.data] == [vector(text, 4) for text in TEXTS]
    assert (reply.model, reply.usage.prompt_tokens) == (model, 3)


@pytest.mark.parametrize("model", MODELS)
def test_openais_sdk_gets_a_vector_for_one_text(client: openai.OpenAI, model: str) -> None:
    reply = client.embeddings.create(model=model, input="one", encoding_format="float")

    assert (reply.data[0].embedding, reply.usage.total_tokens) == (vector("one"), 1)


@pytest.mark.parametrize("cloud", [False, True], ids=["gemini", "vertex"])
@pytest.mark.parametrize("model", SEVERAL)
def test_googles_sdk_gets_a_vector_for_each_text(gateway: GatewayProcess, model: str, cloud: bool) -> None:
    config = types.EmbedContentConfig(task_type="RETRIEVAL_QUERY", output_dimensionality=4)
    # As contents: of a list of strings the SDK makes one text for models that also take pictures.
    contents: list[Any] = [types.Content(parts=[types.Part(text=text)]) for text in TEXTS]
    with google(gateway, cloud=cloud) as client:
        reply = client.models.embed_content(model=model, contents=contents, config=config)

    assert [each.values for each in reply.embeddings or []] == [vector(text, 4) for text in TEXTS]


@pytest.mark.parametrize("model", SEVERAL)
def test_googles_settings_arrive(gateway: GatewayProcess, upstream: VendorUpstream, model: str) -> None:
    body = {
        "content": {"parts": [{"text": "one"}]},
        "taskType": "RETRIEVAL_DOCUMENT",
        "title": "About",
        "outputDimensionality": 4,
    }
    reply = gateway.post(f"/v1beta/models/{model}:embedContent", body)
    sent = upstream.only_request().json()

    assert (reply.status, reply.header("x-llmgw-dropped")) == (200, None)
    assert (
        sent
        == {
            "predict": {
                "instances": [{"content": "one", "task_type": "RETRIEVAL_DOCUMENT", "title": "About"}],
                "parameters": {"outputDimensionality": 4},
            },
            "gemini": {
                "content": {"parts": [{"text": "one"}]},
                "embedContentConfig": {
                    "taskType": "RETRIEVAL_DOCUMENT",
                    "title": "About",
                    "outputDimensionality": 4,
                },
            },
        }[model]
    )


def test_what_its_own_client_sends_goes_as_it_came(gateway: GatewayProcess, upstream: VendorUpstream) -> None:
    body = b'{ "instances": [ {"content": "one"} ] }'
    path = "/v1beta1/projects/p/locations/l/publishers/google/models/predict:predict"
    reply = gateway.post(path, body)

    assert reply.status == 200
    assert upstream.only_request().body == body
    assert reply.json()["predictions"][0]["embeddings"]["values"] == vector("one")


def test_what_has_no_place_there_is_named(client: openai.OpenAI) -> None:
    reply = client.embeddings.with_raw_response.create(model="predict", input="one", user="me")

    assert reply.headers["x-llmgw-dropped"] == "user"


def test_several_texts_are_refused_where_one_is_the_most(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="embeds one text") as caught:
        client.embeddings.create(model="open", input=TEXTS)

    assert caught.value.param == "input"


@pytest.mark.parametrize("model", MODELS)
def test_an_error_is_told_in_the_clients_dialect(
    client: openai.OpenAI, upstream: VendorUpstream, model: str
) -> None:
    with pytest.raises(openai.BadRequestError, match="exceeds the maximum number of tokens") as caught:
        client.embeddings.create(model=model, input="x" * 2000)

    assert caught.value.type == "invalid_request_error"
    upstream.refused.clear()
