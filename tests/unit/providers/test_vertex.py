"""Vertex AI, with a stand-in for the library."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmgw.model import Operation
from llmgw.providers import google_token
from llmgw.providers.base import Target, TargetError, Upstream, VertexAccess
from llmgw.providers.leases import Lease, LeaseError
from llmgw.providers.vertex import Vertex
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

FILE = '{"type": "service_account", "project_id": "of-the-file", "private_key": "canary"}'
PLACE = VertexAccess(vertex_project="mine", vertex_location="europe-west4")
BASE = "https://europe-west4-aiplatform.googleapis.com/v1/projects/mine/locations/europe-west4"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any] | None]:
    """What tokens were asked for."""
    found: list[Mapping[str, Any] | None] = []

    def fetch(fields: Mapping[str, Any] | None) -> Lease[Secret]:
        found.append(fields)
        return Lease(Secret(f"token-{len(found)}"), time.time() + 3600)

    monkeypatch.setattr(google_token, "fetch_token", fetch)
    monkeypatch.setattr(google_token, "check_library", lambda: None)
    return found


def connect(model: str, access: VertexAccess = PLACE, **environment: str) -> Upstream:
    return Vertex().connect(Target(model=model, vertex=access), Environment(environment))


@pytest.mark.usefixtures("asked")
def test_gemini_is_called_by_generate_content() -> None:
    models = f"{BASE}/publishers/google/models/{{model}}"
    upstream = connect("gemini-2.5-pro")
    assert upstream.urls == {
        Operation.GENERATE_CONTENT: f"{models}:generateContent",
        Operation.COUNT_CONTENT_TOKENS: f"{models}:countTokens",
    }
    stream = f"{models}:streamGenerateContent?alt=sse"
    assert upstream.stream_urls == {Operation.GENERATE_CONTENT: stream}
    assert (upstream.original, upstream.body_style) == (True, "plain")


@pytest.mark.usefixtures("asked")
def test_claude_is_called_by_messages_in_googles_style() -> None:
    models = f"{BASE}/publishers/anthropic/models"
    upstream = connect("claude-sonnet-4-5@20250929")
    assert upstream.urls == {
        Operation.MESSAGES: f"{models}/{{model}}:rawPredict",
        Operation.COUNT_MESSAGE_TOKENS: f"{models}/count-tokens:rawPredict",
    }
    assert upstream.stream_urls == {Operation.MESSAGES: f"{models}/{{model}}:streamRawPredict"}
    assert (upstream.original, upstream.body_style) == (False, "vertex_anthropic")
    assert not upstream.takes_urls


@pytest.mark.usefixtures("asked")
def test_models_of_other_publishers_are_called_by_the_openai_surface() -> None:
    upstream = connect("openai/gpt-oss-120b-maas")
    assert upstream.urls == {Operation.CHAT_COMPLETIONS: f"{BASE}/endpoints/openapi/chat/completions"}
    assert upstream.model == "openai/gpt-oss-120b-maas"


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("us-east5", "us-east5-aiplatform.googleapis.com"),
    ],
)
@pytest.mark.usefixtures("asked")
def test_a_location_tells_the_host(location: str, host: str) -> None:
    url = connect("m", VertexAccess(vertex_project="mine", vertex_location=location)).urls
    place = f"https://{host}/v1/projects/mine/locations/{location}/"
    assert url[Operation.GENERATE_CONTENT].startswith(place)


@pytest.mark.usefixtures("asked")
def test_a_model_is_served_in_its_location() -> None:
    assert connect("gemini-2.5-pro").region == "europe-west4"


def test_project_and_location_may_stand_in_the_environment_or_be_the_default() -> None:
    upstream = connect("m", VertexAccess(), GOOGLE_CLOUD_PROJECT="theirs")
    assert "/projects/theirs/locations/global/" in upstream.urls[Operation.GENERATE_CONTENT]


@pytest.mark.usefixtures("asked")
def test_the_project_of_the_credentials_is_the_last_resort() -> None:
    upstream = connect("m", VertexAccess(vertex_credentials=Secret(FILE)))
    assert "/projects/of-the-file/" in upstream.urls[Operation.GENERATE_CONTENT]


@pytest.mark.parametrize("field", ["vertex_project", "vertex_location"])
@pytest.mark.usefixtures("asked")
def test_a_name_that_would_change_the_url_is_refused(field: str) -> None:
    with pytest.raises(TargetError, match="expected a name"):
        connect("m", msgspec.structs.replace(PLACE, **{field: "a/../b"}))


def test_a_token_travels_as_a_bearer_token_and_is_renewed(asked: list[Any]) -> None:
    upstream = connect("gemini-2.5-pro")
    assert (upstream.headers, upstream.token_headers) == ((), (("authorization", "Bearer token-1"),))
    assert upstream.renew_at == pytest.approx(time.time() + 3400, abs=5)
    assert asked == [None]


def test_credentials_may_be_a_path_or_json_and_share_one_token(asked: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(FILE)
    provider = Vertex()
    for written in (FILE, str(path)):
        target = Target(model="m", vertex=VertexAccess(vertex_credentials=Secret(written)))
        provider.connect(target, Environment({}))
    assert [fields["private_key"] for fields in asked] == ["canary"]


@pytest.mark.parametrize("written", ["{", "[]", '{"project_id": "p"}', "/nowhere/credentials.json"])
@pytest.mark.usefixtures("asked")
def test_what_are_no_credentials_is_told(written: str) -> None:
    with pytest.raises(TargetError) as caught:
        connect("m", VertexAccess(vertex_project="p", vertex_credentials=Secret(written)))
    assert caught.value.field == "vertex_credentials"


def test_a_token_that_cannot_be_had_leaves_the_deployment_without_one_for_now(
    monkeypatch: pytest.MonkeyPatch, asked: list[Any]
) -> None:
    def fail(_: object) -> Lease[Secret]:
        raise LeaseError("no token of Google Cloud: invalid_grant")

    monkeypatch.setattr(google_token, "fetch_token", fail)
    upstream = connect("m")
    assert upstream.token_headers == ()
    assert upstream.credential_problem == "no token of Google Cloud: invalid_grant"
    assert upstream.renew_at is not None


def test_default_credentials_are_shown_to_google_alone(asked: list[Any]) -> None:
    target = Target(model="m", vertex=PLACE, api_base="https://elsewhere.example")
    with pytest.raises(TargetError, match="not Google's"):
        Vertex().connect(target, Environment({}))
    assert asked == []


def test_an_api_key_needs_neither_project_nor_token(asked: list[Any]) -> None:
    upstream = Vertex().connect(Target(model="m", api_key=Secret("k")), Environment({}))
    url = "https://aiplatform.googleapis.com/v1/publishers/google/models/{model}:generateContent"
    assert upstream.urls[Operation.GENERATE_CONTENT] == url
    assert (upstream.headers, asked) == ((("x-goog-api-key", "k"),), [])


GOOGLES = "/projects/mine/locations/europe-west4/publishers/google/models/{model}"
HOST = "https://europe-west4-aiplatform.googleapis.com"


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("model", "urls"),
    [
        ("text-embedding-005", {Operation.PREDICT: f"{HOST}/v1{GOOGLES}:predict"}),
        ("textembedding-gecko@003", {Operation.PREDICT: f"{HOST}/v1{GOOGLES}:predict"}),
        (
            "gemini-embedding-001",
            {
                Operation.VERTEX_EMBED_CONTENT: f"{HOST}/v1beta1{GOOGLES}:embedContent",
                Operation.VERTEX_BATCH_EMBED_CONTENTS: f"{HOST}/v1beta1{GOOGLES}:batchEmbedContents",
            },
        ),
        (
            "embeddinggemma-300m-maas",
            {Operation.VERTEX_EMBED_CONTENT: f"{HOST}/v1{GOOGLES}:embedContent"},
        ),
    ],
)
def test_an_embedding_model_is_called_by_its_own_method(model: str, urls: dict[Operation, str]) -> None:
    upstream = connect(model)
    assert (upstream.urls, upstream.stream_urls) == (urls, {})
    assert upstream.warning is None


@pytest.mark.usefixtures("asked")
def test_an_embedding_model_takes_an_api_key_too() -> None:
    target = Target(model="text-embedding-005", api_key=Secret("key"))
    upstream = Vertex().connect(target, Environment({}))
    url = "https://aiplatform.googleapis.com/v1/publishers/google/models/{model}:predict"
    assert upstream.urls == {Operation.PREDICT: url}


@pytest.mark.usefixtures("asked")
def test_what_embeds_pictures_is_left_out_with_a_warning() -> None:
    upstream = connect("multimodalembedding@001")
    assert upstream.urls == {}
    assert upstream.warning is not None


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.auth.transport.requests", None)
    with pytest.raises(TargetError, match=r"pip install 'llmgw\[vertex\]'"):
        connect("m")
