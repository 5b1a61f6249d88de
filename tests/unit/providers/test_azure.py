"""Azure OpenAI."""

import pytest

from llmgw.model import Operation
from llmgw.providers.azure import Azure
from llmgw.providers.base import AzureAccess, Target, TargetError, Upstream
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

ACCESS = set(AzureAccess.__struct_fields__)
BASE = "https://one.azure.example"


def connect(environment: dict[str, str] | None = None, **fields: str | Secret) -> Upstream:
    written: dict[str, str | Secret] = {"api_base": BASE + "/", "api_key": Secret("k"), **fields}
    access = AzureAccess(**{name: written.pop(name) for name in ACCESS & written.keys()})  # type: ignore[arg-type]
    target = Target(model="eu", azure=access, **written)  # type: ignore[arg-type]
    return Azure().connect(target, Environment(environment or {}))


def test_a_dated_version_is_asked_for_by_deployment() -> None:
    upstream = connect(api_version="2024-10-21")
    base, version = f"{BASE}/openai/deployments/{{model}}", "?api-version=2024-10-21"
    assert upstream.urls == {
        Operation.CHAT_COMPLETIONS: f"{base}/chat/completions{version}",
        Operation.COMPLETIONS: f"{base}/completions{version}",
        Operation.EMBEDDINGS: f"{base}/embeddings{version}",
        Operation.IMAGES_GENERATIONS: f"{base}/images/generations{version}",
        Operation.IMAGES_EDITS: f"{base}/images/edits{version}",
        Operation.AUDIO_SPEECH: f"{base}/audio/speech{version}",
        Operation.AUDIO_TRANSCRIPTIONS: f"{base}/audio/transcriptions{version}",
        Operation.AUDIO_TRANSLATIONS: f"{base}/audio/translations{version}",
        Operation.FILES: f"{BASE}/openai/files{version}",
        Operation.BATCHES: f"{BASE}/openai/batches{version}",
        Operation.REALTIME: f"{BASE}/openai/realtime{version}&deployment={{model}}",
        Operation.RESPONSES: f"{BASE}/openai/v1/responses",
    }


def test_without_a_version_the_v1_api_is_called() -> None:
    urls = connect().urls
    assert urls[Operation.CHAT_COMPLETIONS] == f"{BASE}/openai/v1/chat/completions"
    assert urls[Operation.FILES] == f"{BASE}/openai/v1/files"
    assert urls[Operation.REALTIME] == f"{BASE}/openai/v1/realtime?model={{model}}"


def test_the_version_may_come_from_the_environment() -> None:
    upstream = connect({"AZURE_API_VERSION": "2025-01-01-preview"})
    assert upstream.urls[Operation.EMBEDDINGS].endswith("?api-version=2025-01-01-preview")


def test_a_version_that_would_change_the_url_is_refused() -> None:
    with pytest.raises(TargetError, match="expected a version"):
        connect(api_version="2024-10-21&x=y")


def test_the_key_travels_in_its_own_header() -> None:
    assert connect().headers == (("api-key", "k"),)


def test_a_token_travels_as_a_bearer_token() -> None:
    assert connect(azure_ad_token=Secret("t")).headers == (("authorization", "Bearer t"),)


def test_address_and_key_may_come_from_the_environment() -> None:
    environment = Environment({"AZURE_API_BASE": BASE, "AZURE_OPENAI_API_KEY": "k"})
    upstream = Azure().connect(Target(model="eu"), environment)
    assert upstream.headers == (("api-key", "k"),)


def test_a_key_of_the_environment_is_not_sent_to_an_address_of_the_file() -> None:
    target = Target(model="eu", api_base="https://elsewhere.example")
    with pytest.raises(TargetError, match="no credential"):
        Azure().connect(target, Environment({"AZURE_API_KEY": "canary"}))


def test_without_an_address_one_is_asked_for() -> None:
    with pytest.raises(TargetError, match="azure needs an api_base"):
        Azure().connect(Target(model="eu", api_key=Secret("k")), Environment({}))


def test_a_model_of_the_responses_api_is_served_by_nothing_else() -> None:
    target = Target(model="responses/eu", api_base=BASE, api_key=Secret("k"))
    upstream = Azure().connect(target, Environment({}))
    assert (upstream.model, upstream.urls) == (
        "eu",
        {Operation.RESPONSES: f"{BASE}/openai/v1/responses"},
    )
