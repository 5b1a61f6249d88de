"""Anthropic's own API."""

import pytest

from llmgw.model import Operation
from llmgw.providers.anthropic import Anthropic, takes_schema
from llmgw.providers.base import Target, TargetError, Upstream
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

VERSION = ("anthropic-version", "2023-06-01")


def connect(environment: dict[str, str] | None = None, **fields: str | Secret) -> Upstream:
    target = Target(model="claude-sonnet-4-5", **fields)  # type: ignore[arg-type]
    return Anthropic().connect(target, Environment(environment or {}))


def test_messages_and_their_tokens_are_served() -> None:
    assert connect(api_key=Secret("k")).urls == {
        Operation.MESSAGES: "https://api.anthropic.com/v1/messages",
        Operation.COUNT_MESSAGE_TOKENS: "https://api.anthropic.com/v1/messages/count_tokens",
    }


def test_the_key_travels_in_its_own_header_beside_the_version() -> None:
    assert connect(api_key=Secret("sk-ant-api03-k")).headers == (VERSION, ("x-api-key", "sk-ant-api03-k"))


def test_the_token_of_a_login_travels_as_a_bearer_token_and_says_so() -> None:
    assert connect(api_key=Secret("sk-ant-oat01-t")).headers == (
        VERSION,
        ("authorization", "Bearer sk-ant-oat01-t"),
        ("anthropic-beta", "oauth-2025-04-20"),
    )


@pytest.mark.parametrize(
    ("environment", "header"),
    [
        ({"ANTHROPIC_API_KEY": "k", "ANTHROPIC_AUTH_TOKEN": "t"}, ("x-api-key", "k")),
        ({"ANTHROPIC_AUTH_TOKEN": "t"}, ("authorization", "Bearer t")),
    ],
)
def test_the_variable_says_how_the_credential_travels(
    environment: dict[str, str], header: tuple[str, str]
) -> None:
    assert connect(environment).headers == (VERSION, header)


@pytest.mark.parametrize("written", ["", "/", "/v1", "/v1/", "/v1/messages"])
def test_the_address_may_be_written_with_and_without_its_version(written: str) -> None:
    upstream = connect(api_key=Secret("k"), api_base=f"https://host.example/anthropic{written}")
    assert upstream.urls[Operation.MESSAGES] == "https://host.example/anthropic/v1/messages"


def test_only_the_vendors_own_address_is_sure_to_know_the_newest_fields() -> None:
    assert connect(api_key=Secret("k")).original
    assert not connect(api_key=Secret("k"), api_base="https://host.example").original


def test_a_variable_may_move_the_host_and_the_key_goes_along() -> None:
    upstream = connect({"ANTHROPIC_BASE_URL": "https://host.example", "ANTHROPIC_API_KEY": "k"})
    assert upstream.urls[Operation.MESSAGES] == "https://host.example/v1/messages"
    assert upstream.headers == (VERSION, ("x-api-key", "k"))


def test_a_key_of_the_environment_is_not_sent_to_an_address_of_the_file() -> None:
    upstream = connect({"ANTHROPIC_API_KEY": "canary"}, api_base="https://elsewhere.example")
    assert upstream.headers == (VERSION,)
    assert upstream.warning is not None


def test_a_missing_key_is_told_with_the_variables_that_may_hold_it() -> None:
    with pytest.raises(TargetError, match="set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN, or give api_key"):
        connect()


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("claude-3-7-sonnet-20250219", False),
        ("claude-sonnet-4-20250514", False),
        ("claude-opus-4-0", False),
        ("claude-opus-4-1-20250805", True),
        ("claude-haiku-4-5", True),
        ("*", True),
    ],
)
def test_the_newer_models_take_a_json_schema(model: str, takes: bool) -> None:
    assert takes_schema(model) is takes
