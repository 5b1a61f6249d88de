"""The list of providers."""

import pytest

from llmgw.providers import NOT_SERVED, providers, split_model


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("openai/gpt-4o", ("openai", "gpt-4o")),
        ("openrouter/openai/gpt-4o", ("openrouter", "openai/gpt-4o")),
        ("gpt-4o", ("openai", "gpt-4o")),
        ("o3-mini", ("openai", "o3-mini")),
        ("text-embedding-3-small", ("openai", "text-embedding-3-small")),
        ("llama3", (None, "llama3")),
        ("*", (None, "*")),
    ],
)
def test_a_model_name_tells_its_provider(model: str, expected: tuple[str | None, str]) -> None:
    assert split_model(model) == expected


def test_a_provider_given_apart_wins() -> None:
    assert split_model("meta/llama", "vllm") == ("vllm", "meta/llama")
    assert split_model("vllm/meta/llama", "vllm") == ("vllm", "meta/llama")


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("openai_like", "openai"),
        ("custom_openai", "openai"),
        ("hosted_vllm", "vllm"),
        ("together_ai", "together"),
        ("fireworks_ai", "fireworks"),
        ("llama_cpp", "llamacpp"),
        ("ollama_chat", "ollama"),
        ("nvidia_nim", "nvidia"),
        ("ai21_chat", "ai21"),
        ("featherless_ai", "featherless"),
        ("friendliai", "friendli"),
        ("lambda_ai", "lambda"),
        ("veniceai", "venice"),
        ("qwencloud", "dashscope"),
    ],
)
def test_litellms_prefixes_are_known(prefix: str, name: str) -> None:
    found = providers().get(prefix)
    assert found is not None
    assert found.name == name


def test_no_provider_is_served_and_not_served() -> None:
    registry = providers()
    assert [name for name in NOT_SERVED if registry.get(name) is not None] == []
