"""Hosts that speak the OpenAI dialect."""

import pytest

from llmgw.model import Operation
from llmgw.providers.base import Target, TargetError
from llmgw.providers.compatible import Compatible
from llmgw.providers.openai import OPENAI
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

NOTHING = Environment({})
HOST = Compatible(
    name="host",
    base_url="https://host.example/v1",
    base_variables=("HOST_BASE",),
    key_variables=("HOST_KEY", "HOST_OLD_KEY"),
)
LOCAL = Compatible(name="local", base_url="http://localhost:1/v1", needs_key=False, default_path="/v1")


ACCOUNT = Compatible(name="account", base_url="https://api.example/{ACCOUNT|ACCOUNT_ID}/v1", needs_key=False)


def test_the_operations_are_below_the_base_url() -> None:
    upstream = OPENAI.connect(Target(model="m", api_key=Secret("k")), NOTHING)
    assert upstream.urls.pop(Operation.REALTIME) == "https://api.openai.com/v1/realtime?model={model}"
    assert upstream.urls == {
        Operation.CHAT_COMPLETIONS: "https://api.openai.com/v1/chat/completions",
        Operation.COMPLETIONS: "https://api.openai.com/v1/completions",
        Operation.EMBEDDINGS: "https://api.openai.com/v1/embeddings",
        Operation.RESPONSES: "https://api.openai.com/v1/responses",
        Operation.MODERATIONS: "https://api.openai.com/v1/moderations",
        Operation.IMAGES_GENERATIONS: "https://api.openai.com/v1/images/generations",
        Operation.IMAGES_EDITS: "https://api.openai.com/v1/images/edits",
        Operation.AUDIO_SPEECH: "https://api.openai.com/v1/audio/speech",
        Operation.AUDIO_TRANSCRIPTIONS: "https://api.openai.com/v1/audio/transcriptions",
        Operation.AUDIO_TRANSLATIONS: "https://api.openai.com/v1/audio/translations",
        Operation.FILES: "https://api.openai.com/v1/files",
        Operation.BATCHES: "https://api.openai.com/v1/batches",
    }


def test_the_key_travels_as_a_bearer_token() -> None:
    upstream = HOST.connect(Target(model="m", api_key=Secret("k"), organization="org-1"), NOTHING)
    assert upstream.headers == (("authorization", "Bearer k"), ("openai-organization", "org-1"))


def test_repr_shows_no_credential() -> None:
    target = Target(model="m", api_key=Secret("canary"))
    assert "canary" not in repr(target) + repr(HOST.connect(target, NOTHING))


def test_the_first_variable_that_is_set_holds_the_key() -> None:
    upstream = HOST.connect(Target(model="m"), Environment({"HOST_KEY": "", "HOST_OLD_KEY": "old"}))
    assert upstream.headers == (("authorization", "Bearer old"),)


def test_a_variable_may_move_the_host_and_the_key_goes_along() -> None:
    environment = Environment({"HOST_BASE": "https://other.example", "HOST_KEY": "k"})
    upstream = HOST.connect(Target(model="m"), environment)
    assert upstream.urls[Operation.CHAT_COMPLETIONS] == "https://other.example/chat/completions"
    assert upstream.headers == (("authorization", "Bearer k"),)


def test_a_key_of_the_environment_is_not_sent_to_an_address_of_the_file() -> None:
    target = Target(model="m", api_base="https://elsewhere.example")
    upstream = HOST.connect(target, Environment({"HOST_KEY": "canary"}))
    assert upstream.headers == ()
    assert upstream.warning is not None
    assert "without a credential" in upstream.warning


def test_a_missing_key_is_told_with_the_variables_that_may_hold_it() -> None:
    with pytest.raises(TargetError, match="set HOST_KEY or HOST_OLD_KEY, or give api_key"):
        HOST.connect(Target(model="m"), NOTHING)


def test_a_host_of_ones_own_needs_no_key() -> None:
    upstream = LOCAL.connect(Target(model="m"), NOTHING)
    assert (upstream.headers, upstream.warning) == ((), None)


def test_a_local_host_written_without_its_path_gets_it() -> None:
    upstream = LOCAL.connect(Target(model="m", api_base="http://10.0.0.1:11434/"), NOTHING)
    assert upstream.urls[Operation.CHAT_COMPLETIONS] == "http://10.0.0.1:11434/v1/chat/completions"


def test_a_host_without_an_address_asks_for_one() -> None:
    with pytest.raises(TargetError, match="needs an api_base"):
        Compatible(name="nowhere", needs_key=False).connect(Target(model="m"), NOTHING)


@pytest.mark.parametrize(
    "environment",
    [{"ACCOUNT": "a-1"}, {"ACCOUNT_ID": "a-1"}, {"ACCOUNT": "", "ACCOUNT_ID": "https://a-1/"}],
    ids=["the first", "another", "written as an address"],
)
def test_a_blank_in_the_address_is_filled_from_the_environment(environment: dict[str, str]) -> None:
    upstream = ACCOUNT.connect(Target(model="m"), Environment(environment))
    assert upstream.urls[Operation.CHAT_COMPLETIONS] == "https://api.example/a-1/v1/chat/completions"


def test_a_blank_that_nothing_fills_is_told_with_its_variables() -> None:
    with pytest.raises(TargetError, match="set ACCOUNT or ACCOUNT_ID, or give api_base") as caught:
        ACCOUNT.connect(Target(model="m"), NOTHING)
    assert caught.value.field == "api_base"


@pytest.mark.parametrize("value", ["..", "a/b", "a?canary", "canary@host", "a b", "https://"])
def test_what_would_change_the_address_does_not_fill_a_blank(value: str) -> None:
    with pytest.raises(TargetError, match="fit no address") as caught:
        ACCOUNT.connect(Target(model="m"), Environment({"ACCOUNT": value}))
    assert "canary" not in str(caught.value)


def test_a_given_address_needs_no_blank_filled() -> None:
    upstream = ACCOUNT.connect(Target(model="m", api_base="https://other.example/v1"), NOTHING)
    assert upstream.urls[Operation.CHAT_COMPLETIONS] == "https://other.example/v1/chat/completions"
