"""The list of models, and refusals, in the dialect of whoever asks; names of a key's own."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import KEYS_ENVIRONMENT, deployment, gateway_config
from tests.gateway_process import MASTER_KEY, GatewayProcess, authorization
from tests.raw_http import Response, exchange, request_bytes
from tests.upstreams.replies import answer_chat
from tests.upstreams.scripted import ScriptedUpstream

MAPPED_KEY = "mapped-key-0123456789"
VERSION = ("anthropic-version", "2023-06-01")


@pytest.fixture(scope="module")
def own_upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream(answer_chat) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def lists(
    tmp_path_factory: pytest.TempPathFactory, own_upstream: ScriptedUpstream
) -> Iterator[GatewayProcess]:
    """A gateway with a chat, an embedding model, and a key with names of its own."""
    config = gateway_config(
        deployment("local", own_upstream.base_url),
        deployment("vectors", own_upstream.base_url) | {"model_info": {"mode": "embedding"}},
        keys=[
            {
                "alias": "mapped",
                "key": "env:MAPPED_KEY",
                "models": ["local"],
                "model_map": {"claude-*": "local", "gpt-5": "local", "o3": "vectors"},
            }
        ],
    )
    environment = KEYS_ENVIRONMENT | {"MAPPED_KEY": MAPPED_KEY}
    with GatewayProcess(tmp_path_factory.mktemp("lists"), config, env=environment) as gateway:
        yield gateway


def get(
    gateway: GatewayProcess, path: str, *headers: tuple[str, str], key: str | None = MASTER_KEY
) -> Response:
    return exchange(gateway.port, request_bytes("GET", path, [*authorization(key), *headers]))


def body(response: Response) -> Any:
    assert response.status == 200
    return response.json()


def test_openai_clients_see_every_model(lists: GatewayProcess) -> None:
    listed = body(get(lists, "/v1/models"))
    assert [each["id"] for each in listed["data"]] == ["local", "vectors"]


def test_anthropics_clients_see_what_chats_in_anthropics_shape(lists: GatewayProcess) -> None:
    listed = body(get(lists, "/v1/models", VERSION))
    made = listed["data"][0].pop("created_at")
    assert made.endswith("Z")
    assert listed == {
        "data": [{"type": "model", "id": "local", "display_name": "local"}],
        "has_more": False,
        "first_id": "local",
        "last_id": "local",
    }


def test_geminis_clients_see_what_chats_in_geminis_shape(lists: GatewayProcess) -> None:
    assert body(get(lists, "/v1beta/models")) == {
        "models": [
            {
                "name": "models/local",
                "version": "001",
                "displayName": "local",
                "supportedGenerationMethods": ["generateContent", "countTokens"],
            }
        ]
    }


def test_one_model_is_described_in_every_dialect(lists: GatewayProcess) -> None:
    assert body(get(lists, "/v1/models/local"))["object"] == "model"
    assert body(get(lists, "/v1/models/local", VERSION))["type"] == "model"
    assert body(get(lists, "/v1beta/models/local"))["name"] == "models/local"


def test_an_unknown_model_is_told_in_every_dialect(lists: GatewayProcess) -> None:
    said = "The model `gone` does not exist here."
    assert get(lists, "/v1/models/gone").json()["error"]["code"] == "model_not_found"
    assert get(lists, "/v1/models/gone", VERSION).json() == {
        "type": "error",
        "error": {"type": "not_found_error", "message": said},
    }
    assert get(lists, "/v1beta/models/gone").json() == {
        "error": {"code": 404, "message": said, "status": "NOT_FOUND"}
    }


def test_gemini_s_clients_may_show_their_key_in_the_query(lists: GatewayProcess) -> None:
    assert get(lists, f"/v1beta/models?key={MASTER_KEY}&pageSize=50", key=None).status == 200
    refused = get(lists, "/v1beta/models?key=stranger", key=None)
    assert (refused.status, refused.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_others_may_not(lists: GatewayProcess) -> None:
    assert get(lists, f"/v1/models?key={MASTER_KEY}", key=None).status == 401


def test_a_key_in_the_query_is_not_logged(lists: GatewayProcess) -> None:
    get(lists, "/v1beta/models?key=canary-in-the-query", key=None)
    get(lists, "/v1beta/nothing?key=canary-in-the-query", key=None)
    assert "canary" not in lists.log()


def test_a_key_lists_its_own_names(lists: GatewayProcess) -> None:
    listed = body(get(lists, "/v1/models", key=MAPPED_KEY))
    assert [each["id"] for each in listed["data"]] == ["claude-*", "gpt-5", "local"]


def test_no_pattern_is_offered_to_clients_that_choose_from_the_list(lists: GatewayProcess) -> None:
    listed = body(get(lists, "/v1/models", VERSION, key=MAPPED_KEY))
    assert [each["id"] for each in listed["data"]] == ["gpt-5", "local"]


def test_a_key_s_own_name_reaches_what_it_means(
    lists: GatewayProcess, own_upstream: ScriptedUpstream
) -> None:
    own_upstream.forget()
    assert lists.chat("claude-sonnet-4-5", MAPPED_KEY).status == 200
    assert own_upstream.only_request().json()["model"] == "routed"


def test_a_name_of_its_own_opens_nothing_that_the_key_may_not_use(lists: GatewayProcess) -> None:
    assert lists.chat("o3", MAPPED_KEY).status == 403
    assert get(lists, "/v1/models/o3", key=MAPPED_KEY).status == 404


def test_another_key_does_not_know_the_name(lists: GatewayProcess) -> None:
    assert lists.chat("claude-sonnet-4-5").status == 404
