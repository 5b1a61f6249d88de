"""Hosts that speak the OpenAI dialect."""

import pytest

from llmgw.model import Operation
from llmgw.providers.base import Target, TargetError, checked_base
from llmgw.providers.compatible import COMPATIBLE, Compatible
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


@pytest.mark.parametrize("host", COMPATIBLE, ids=lambda host: host.name)
def test_every_record_is_sound(host: Compatible) -> None:
    if host.base_url is not None:
        assert checked_base(host.base_url) == host.base_url
        assert host.base_url.startswith("https://") or not host.needs_key
    assert host.operations & {Operation.CHAT_COMPLETIONS, Operation.EMBEDDINGS}
    assert host.key_variables or not host.needs_key


def test_the_records_are_in_order() -> None:
    names = [host.name for host in COMPATIBLE]
    assert names == sorted(names)
