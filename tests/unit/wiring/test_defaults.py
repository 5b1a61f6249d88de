"""What is served without a model list."""

from llmgw.model import Operation
from tests.unit.configurations import compiled


def served(**environment: str) -> list[str]:
    return [group.name for group in compiled("", **environment).groups]


def test_without_any_key_there_is_the_mock() -> None:
    assert served() == ["mock/*"]


def test_a_key_in_the_environment_brings_its_provider() -> None:
    assert served(GROQ_API_KEY="k", ANTHROPIC_API_KEY="k") == ["mock/*", "anthropic/*", "groq/*"]


def test_an_openai_key_brings_its_bare_names_too() -> None:
    names = served(OPENAI_API_KEY="k")
    assert names[:3] == ["mock/*", "openai/*", "gpt-*"]
    assert "text-embedding-*" in names


def test_a_bare_name_is_sent_whole_and_a_prefixed_one_without_its_prefix() -> None:
    snapshot = compiled("", OPENAI_API_KEY="k")
    models = {group.name: snapshot.deployments[group.deployments[0]].model for group in snapshot.groups}
    assert (models["gpt-*"], models["openai/*"]) == ("gpt-*", "*")


def test_an_azure_key_without_an_address_brings_nothing() -> None:
    assert served(AZURE_API_KEY="k") == ["mock/*"]
    assert "azure/*" in served(AZURE_API_KEY="k", AZURE_API_BASE="https://a.example")


def test_a_bedrock_key_without_a_region_brings_nothing() -> None:
    assert served(AWS_BEARER_TOKEN_BEDROCK="k") == ["mock/*"]
    assert "bedrock/*" in served(AWS_BEARER_TOKEN_BEDROCK="k", AWS_REGION="eu-central-1")


def test_a_gemini_key_brings_its_embedding_models_apart() -> None:
    snapshot = compiled("", GEMINI_API_KEY="k")
    served_by = {group.name: snapshot.deployments[group.deployments[0]].urls for group in snapshot.groups}
    assert set(served_by["gemini/gemini-embedding-*"]) == {Operation.EMBEDDINGS}
    assert Operation.GENERATE_CONTENT in served_by["gemini/*"]


def test_an_empty_variable_brings_nothing() -> None:
    assert served(OPENAI_API_KEY="") == ["mock/*"]


def test_a_model_list_stands_alone() -> None:
    text = "model_list: [{model_name: a, params: {model: mock/echo}}]"
    assert [group.name for group in compiled(text, OPENAI_API_KEY="k").groups] == ["a"]
