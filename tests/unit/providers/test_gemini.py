"""The Gemini API."""

import pytest

from llmgw.model import Operation
from llmgw.providers.base import Target, TargetError, Upstream
from llmgw.providers.gemini import Gemini
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

BASE = "https://generativelanguage.googleapis.com/v1beta"


def connect(model: str = "gemini-2.5-pro", api_base: str | None = None, **environment: str) -> Upstream:
    target = Target(model=model, api_key=None if environment else Secret("k"), api_base=api_base)
    return Gemini().connect(target, Environment(environment))


def test_content_is_generated_and_counted() -> None:
    assert connect().urls == {
        Operation.GENERATE_CONTENT: f"{BASE}/models/{{model}}:generateContent",
        Operation.COUNT_CONTENT_TOKENS: f"{BASE}/models/{{model}}:countTokens",
    }


def test_streams_are_asked_for_elsewhere() -> None:
    url = f"{BASE}/models/{{model}}:streamGenerateContent?alt=sse"
    assert connect().stream_urls == {Operation.GENERATE_CONTENT: url}


def test_the_key_travels_in_its_own_header() -> None:
    assert connect().headers == (("x-goog-api-key", "k"),)


def test_an_embedding_model_is_called_by_the_openai_surface_with_a_bearer_token() -> None:
    upstream = connect("gemini-embedding-001")
    assert upstream.urls == {Operation.EMBEDDINGS: f"{BASE}/openai/embeddings"}
    assert (upstream.stream_urls, upstream.headers) == ({}, (("authorization", "Bearer k"),))


def test_a_model_may_be_named_as_the_api_lists_it() -> None:
    assert connect("models/gemini-2.5-pro").model == "gemini-2.5-pro"


@pytest.mark.parametrize("name", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_the_key_may_come_from_the_environment(name: str) -> None:
    assert connect(**{name: "k"}).headers == (("x-goog-api-key", "k"),)


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("https://host.example", "https://host.example/v1beta"),
        ("https://host.example/gemini/", "https://host.example/gemini/v1beta"),
        ("https://host.example/v1", "https://host.example/v1"),
        ("https://host.example/v1alpha", "https://host.example/v1alpha"),
    ],
)
def test_the_address_may_be_written_with_and_without_its_version(written: str, base: str) -> None:
    url = connect(api_base=written).urls[Operation.GENERATE_CONTENT]
    assert url == f"{base}/models/{{model}}:generateContent"


def test_a_missing_key_is_told_with_the_variables_that_may_hold_it() -> None:
    with pytest.raises(TargetError, match="set GEMINI_API_KEY or GOOGLE_API_KEY, or give api_key"):
        connect(NOTHING="")
