"""A request for a model names files of its own key only, and goes where they lie."""

from typing import Any

import pytest

from tests.conftest import StartGateway, deployment
from tests.gateway_process import GatewayProcess
from tests.integration.files.room import ALICE, BOB, CAROL, ask, bring, brought, config, line, lines
from tests.raw_http import Response
from tests.upstreams.cabinet import BATCHES, FILES, Cabinet

CHAT = "/v1/chat/completions"


def chat_about(gateway: GatewayProcess, *ids: str, key: str = ALICE, model: str = "plain") -> Response:
    """Ask about files."""
    content = [{"type": "file", "file": {"file_id": each}} for each in ids]
    return gateway.chat(model, key, messages=[{"role": "user", "content": content}])


def chats(upstream: Cabinet) -> list[dict[str, Any]]:
    """The chats that an upstream got."""
    return [each.json() for each in upstream.requests if each.line.startswith(f"POST {CHAT} ")]


@pytest.fixture
def balanced(kept: Cabinet, elsewhere: Cabinet) -> dict[str, Any]:
    """Settings with a model of two accounts."""
    settings = config(kept, elsewhere)
    for base, model in ((kept, "gpt-near"), (elsewhere, "gpt-far")):
        settings["model_list"].append(deployment("both", base.base_url, f"openai/{model}"))
    settings["keys"][0]["models"] = ["plain", "far", "both"]
    return settings


def test_a_key_asks_about_its_own_file(gateway: GatewayProcess, kept: Cabinet) -> None:
    file = brought(gateway, b"content")

    assert chat_about(gateway, file).status == 200
    assert chats(kept)[0]["messages"][0]["content"][0]["file"] == {"file_id": file}


def test_nobody_asks_about_a_file_of_another_key(gateway: GatewayProcess, kept: Cabinet) -> None:
    own, others = brought(gateway, b"mine"), brought(gateway, b"theirs", key=BOB)

    for ids in ([others], [own, others], [kept.keep("user_data", b"brought past the gateway")]):
        refused = chat_about(gateway, *ids)
        assert refused.status == 404
        error = refused.json()["error"]
        assert (error["param"], error["message"]) == ("file_id", f"No such File object: {ids[-1]}")
    assert chats(kept) == []
    assert gateway.get("/health/liveliness", key=None).status == 200


def test_the_refusal_is_in_the_clients_dialect(gateway: GatewayProcess, kept: Cabinet) -> None:
    source = {"type": "file", "file_id": brought(gateway, b"theirs", key=BOB)}
    content = [{"type": "document", "source": source}]
    body = {"model": "plain", "max_tokens": 9, "messages": [{"role": "user", "content": content}]}

    refused = gateway.post("/v1/messages", body, ALICE)

    assert (refused.status, refused.json()["error"]["type"]) == (404, "not_found_error")
    body = {"model": "plain", "input": [{"role": "user", "content": [{**source, "type": "input_file"}]}]}
    assert gateway.post("/v1/responses", body, ALICE).status == 404
    assert chats(kept) == []


def test_a_name_with_escapes_is_a_name(gateway: GatewayProcess, kept: Cabinet) -> None:
    file = brought(gateway, b"theirs", key=BOB)
    part = f'{{"type":"file","file":{{"file\\u005fid":"{file}"}}}}'
    body = f'{{"model":"plain","messages":[{{"role":"user","content":[{part}]}}]}}'.encode()

    assert gateway.post(CHAT, body, ALICE).status == 404
    assert chats(kept) == []


def test_a_file_of_another_key_is_not_told_from_the_cache(
    start_gateway: StartGateway, kept: Cabinet, elsewhere: Cabinet
) -> None:
    gateway = start_gateway(config(kept, elsewhere, cache={}))
    file = brought(gateway, b"mine")

    assert [chat_about(gateway, file, key=key).status for key in (ALICE, ALICE, BOB)] == [200, 200, 404]
    assert len(chats(kept)) == 1


def test_a_request_goes_where_its_files_lie(
    start_gateway: StartGateway, balanced: dict[str, Any], kept: Cabinet, elsewhere: Cabinet
) -> None:
    gateway = start_gateway(balanced)
    near = brought(gateway, b"near", model="plain")
    far = brought(gateway, b"far", model="far")

    for _ in range(8):
        assert chat_about(gateway, near, model="both").status == 200
        assert chat_about(gateway, far, model="both").status == 200
    assert {each["model"] for each in chats(kept)} == {"gpt-near"}
    assert [len(chats(each)) for each in (kept, elsewhere)] == [8, 8]
    named = {each["messages"][0]["content"][0]["file"]["file_id"] for each in chats(elsewhere)}
    assert named == {far}


def test_files_that_cannot_be_seen_together_are_refused(
    start_gateway: StartGateway, balanced: dict[str, Any], kept: Cabinet, elsewhere: Cabinet
) -> None:
    gateway = start_gateway(balanced)
    near = brought(gateway, b"near", model="plain")
    far = brought(gateway, b"far", model="far")

    both = chat_about(gateway, near, far, model="both")
    wrong = chat_about(gateway, far, model="plain")

    assert (both.status, both.json()["error"]["param"]) == (400, "file_id")
    assert wrong.status == 400
    assert "does not serve the model `plain`" in wrong.json()["error"]["message"]
    assert chats(kept) == chats(elsewhere) == []


def test_a_request_in_a_batch_names_no_files(gateway: GatewayProcess, kept: Cabinet) -> None:
    file = brought(gateway, b"mine")
    part = {"type": "file", "file": {"file_id": file}}
    refused = bring(gateway, lines(line(messages=[{"role": "user", "content": [part]}])), "batch")

    assert refused.status == 400
    assert refused.json()["error"]["message"].startswith("Line 1 of the file: ")


def test_any_file_is_named_where_the_settings_say_so(
    start_gateway: StartGateway, kept: Cabinet, elsewhere: Cabinet
) -> None:
    gateway = start_gateway(config(kept, elsewhere, files={"any_id": True}))
    file = kept.keep("user_data", b"brought past the gateway")

    assert chat_about(gateway, file, key=CAROL).status == 200
    part = {"type": "file", "file": {"file_id": file}}
    requests = brought(gateway, lines(line(messages=[{"role": "user", "content": [part]}])), purpose="batch")
    body = {"input_file_id": requests, "endpoint": CHAT, "completion_window": "24h"}
    assert gateway.post(BATCHES, body, ALICE).status == 200
    assert ask(gateway, "GET", f"{FILES}/{file}").status == 404
