"""Where in a request an id of a file is fetched by a provider, and where it is only told."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import StartGateway, deployment
from tests.forms import field, form, form_type
from tests.gateway_process import GatewayProcess
from tests.integration.files.room import ALICE, BOB, brought, config
from tests.upstreams.cabinet import Cabinet
from tests.upstreams.keeper import error
from tests.upstreams.replies import CHAT_BODY, message
from tests.upstreams.scripted import Exchange

SCHEMA = {
    "type": "object",
    "properties": {"file_ids": {"type": "array", "items": {"type": "string"}, "description": "Which"}},
}


class Host(Cabinet):
    """Answers everything beside files as if it were a chat, but for the Responses API, which it lacks."""

    async def _answer(self, exchange: Exchange) -> None:
        target = exchange.request.line.split(" ")[1]
        if target.startswith(("/v1/files", "/v1/batches")):
            await super()._answer(exchange)
            return
        await exchange.read_body()
        lacks = target.startswith("/v1/responses")
        await exchange.send(error(404, "Not Found") if lacks else message(CHAT_BODY))


@pytest.fixture
def kept() -> Iterator[Host]:
    with Host() as upstream:
        yield upstream


@pytest.fixture
def elsewhere() -> Iterator[Host]:
    with Host("elsewhere") as upstream:
        yield upstream


def chat(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "plain", "messages": [{"role": "user", "content": list(content)}], **more}


def asked(upstream: Cabinet) -> list[bytes]:
    """The bodies of what an upstream was asked, apart from files."""
    return [each.body for each in upstream.requests if "/v1/files" not in each.line]


FETCHED: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "variable": (
        "/v1/responses",
        lambda id: {"prompt": {"id": "p", "variables": {"input": {"type": "input_file", "file_id": id}}}},
    ),
    "chat": (
        "/v1/chat/completions",
        lambda id: chat({"type": "file", "file": {"file_id": id, "type": "code_execution_output"}}),
    ),
    "image": (
        "/v1/images/edits",
        lambda id: {"prompt": "x", "images": [{"file_id": id, "type": "code_execution_output"}]},
    ),
    "mask": (
        "/v1/responses",
        lambda id: {
            "input": "x",
            "tools": [{"type": "image_generation", "input_image_mask": {"file_id": id}}],
        },
    ),
    "gemini": (
        "/v1beta/models/plain:generateContent",
        lambda id: {"contents": [{"parts": [{"fileData": {"fileUri": id, "mimeType": "application/pdf"}}]}]},
    ),
}
TOLD: dict[str, tuple[str, dict[str, Any]]] = {
    "gemini_tool": (
        "/v1beta/models/plain:generateContent",
        {
            "contents": [{"role": "user", "parts": [{"text": "x"}]}],
            "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": SCHEMA}]}],
        },
    ),
    "gemini_schema": (
        "/v1beta/models/plain:generateContent",
        {
            "contents": [{"role": "user", "parts": [{"text": "x"}]}],
            "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
        },
    ),
    "examples": (
        "/v1/messages",
        chat(
            {"type": "text", "text": "x"},
            max_tokens=9,
            tools=[
                {"name": "read", "input_schema": {"type": "object"}, "input_examples": [{"file_id": "a"}]}
            ],
        ),
    ),
    "citation": (
        "/v1/messages",
        chat(
            {"type": "text", "text": "y", "citations": [{"type": "char_location", "file_id": "file_gone"}]},
            max_tokens=9,
        ),
    ),
    "guided": ("/v1/chat/completions", chat({"type": "text", "text": "x"}, guided_json=SCHEMA)),
    "documents": (
        "/v1/chat/completions",
        chat({"type": "text", "text": "x"}, documents=[{"id": "1", "data": {"file_id": "my-own-7"}}]),
    ),
}


@pytest.mark.parametrize("place", FETCHED)
def test_a_file_of_another_key_is_found(gateway: GatewayProcess, kept: Host, place: str) -> None:
    path, body = FETCHED[place]
    file = brought(gateway, b"theirs", key=BOB)

    reply = gateway.post(path, {"model": "plain", **body(file)}, ALICE)

    assert (reply.status, asked(kept)) == (404, [])


@pytest.mark.parametrize("place", TOLD)
def test_what_is_only_told_is_not_looked_up(gateway: GatewayProcess, place: str) -> None:
    path, body = TOLD[place]

    assert gateway.post(path, body, ALICE).status == 200


def test_a_form_names_no_file(start_gateway: StartGateway, kept: Host, elsewhere: Host) -> None:
    settings = config(kept, elsewhere)
    settings["model_list"] = [deployment("plain", kept.base_url, "mistral/voxtral-mini-latest")]
    gateway = start_gateway({**settings, "keys": [{"alias": "alice", "key": ALICE, "models": ["plain"]}]})
    body = form([field("model", "plain"), field("file_id", "file-kept1")])

    reply = gateway.post("/v1/audio/transcriptions", body, ALICE, [form_type()])

    assert (reply.status, reply.json()["error"]["param"], asked(kept)) == (400, "file_id", [])


def test_documents_to_rank_may_have_ids_of_their_own(
    start_gateway: StartGateway, kept: Host, elsewhere: Host
) -> None:
    settings = config(kept, elsewhere)
    settings["model_list"].append({"model_name": "rank", "litellm_params": {"model": "mock/rerank"}})
    settings["keys"][0]["models"] = ["rank"]
    gateway = start_gateway(settings)
    body = {"model": "rank", "query": "q", "documents": [{"text": "a", "file_id": "my-own-7"}]}

    assert b"No such File" not in gateway.post("/v1/rerank", body, ALICE).body


def test_a_conversation_goes_on_where_its_files_lie(
    start_gateway: StartGateway, kept: Host, elsewhere: Host
) -> None:
    settings = config(kept, elsewhere)
    for base, model in ((kept, "gpt-near"), (elsewhere, "gpt-far")):
        settings["model_list"].append(deployment("both", base.base_url, f"openai/{model}"))
    settings["keys"][0]["models"] = ["plain", "both"]
    gateway = start_gateway(settings)
    part = {"type": "input_file", "file_id": brought(gateway, b"near", model="plain")}

    for _ in range(8):
        first = {"model": "both", "input": [{"role": "user", "content": [part]}]}
        made = gateway.post("/v1/responses", first, ALICE).json()["id"]
        more = {"model": "both", "input": "more", "previous_response_id": made}
        assert gateway.post("/v1/responses", more, ALICE).status == 200

    assert asked(elsewhere) == []


def test_a_mode_does_not_hide_where_files_lie(
    start_gateway: StartGateway, kept: Host, elsewhere: Host
) -> None:
    settings = config(kept, elsewhere)
    moded = deployment("moded", kept.base_url, "openai/gpt-m") | {"model_info": {"mode": "chat"}}
    settings["model_list"].append(moded)
    settings["keys"][0]["models"] = ["plain", "moded"]
    gateway = start_gateway(settings)
    file = brought(gateway, b"near", model="plain")

    body = chat({"type": "file", "file": {"file_id": file}})

    assert gateway.post("/v1/chat/completions", body | {"model": "moded"}, ALICE).status == 200


def test_no_id_passes_where_files_are_not_served(
    start_gateway: StartGateway, kept: Host, elsewhere: Host
) -> None:
    gateway = start_gateway(config(kept, elsewhere, files={"keep": 0}))

    body = chat({"type": "file", "file": {"file_id": "file-anyones"}})

    assert gateway.post("/v1/chat/completions", body, ALICE).status == 404


def test_files_lead_to_a_fallback_that_sees_them(
    start_gateway: StartGateway, kept: Host, elsewhere: Host
) -> None:
    settings = config(kept, elsewhere, router_settings={"fallbacks": [{"far": ["plain"]}]})
    settings["keys"][0]["models"] = ["plain", "far"]
    gateway = start_gateway(settings)
    file = brought(gateway, b"near", model="plain")

    body = chat({"type": "file", "file": {"file_id": file}})

    assert gateway.post("/v1/chat/completions", body | {"model": "far"}, ALICE).status == 200
    assert asked(elsewhere) == []


def test_who_has_no_request_left_has_no_file_looked_up(
    start_gateway: StartGateway, kept: Host, elsewhere: Host
) -> None:
    settings = config(kept, elsewhere)
    settings["keys"][0]["rpm_limit"] = 1
    gateway = start_gateway(settings)
    body = chat({"type": "file", "file": {"file_id": "file-anyones"}})
    gateway.chat("plain", ALICE)

    assert gateway.post("/v1/chat/completions", body, ALICE).status == 429
