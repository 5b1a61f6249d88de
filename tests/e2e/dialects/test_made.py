"""What models and their providers make beside texts: pictures, what hosted tools did, phases."""

import json
from typing import Any

import openai
import pytest

from tests.e2e.dialects import table
from tests.e2e.dialects.conftest import Dialects
from tests.e2e.dialects.test_conversations import PATHS
from tests.gateway_process import MASTER_KEY
from tests.upstreams.vendors import fixtures

STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
PICTURE = fixtures.meaning("made_picture")["pictures"][0]


def answer(dialects: Dialects, surface: str, wire: str, scenario: str, streamed: bool) -> str:
    """The body of the gateway's answer."""
    text = f"[[scenario:{scenario}]]"
    if surface == "gemini_generate":
        method = "streamGenerateContent?alt=sse" if streamed else "generateContent"
        said = {"role": "user", "parts": [{"text": text}]}
        path, body = f"/v1beta/models/{wire}:{method}", {"contents": [said]}
    else:
        path, body = PATHS[surface], asked(surface, wire, text, streamed)
    response = dialects.gateway.post(path, body)
    assert response.status == 200, response.body
    return response.body.decode()


def asked(surface: str, wire: str, text: str, streamed: bool) -> dict[str, Any]:
    if surface == "openai_responses":
        return {"model": wire, "input": text, "stream": streamed}
    messages = [{"role": "user", "content": text}]
    return {"model": wire, "messages": messages, "max_tokens": 99, "stream": streamed}


def dropped(body: str) -> list[str]:
    """What the reply says was left out of it."""
    documents = [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: {")]
    told: list[str] = []
    for each in map(json.loads, documents or [body]):
        told += each.get("llmgw_dropped", []) or each.get("response", {}).get("llmgw_dropped", [])
    return told


@STREAMED
@pytest.mark.parametrize("wire", ["openai_chat", "openai_responses", "gemini_generate"])
@pytest.mark.parametrize("surface", table.SURFACES)
def test_a_picture_arrives_or_is_named(dialects: Dialects, surface: str, wire: str, streamed: bool) -> None:
    body = answer(dialects, surface, wire, "made_picture", streamed)

    shown = surface != "anthropic_messages"
    assert (PICTURE["data"] in body) is shown
    assert dropped(body) == ([] if shown else ["image"])


@STREAMED
@pytest.mark.parametrize("wire", ["openai_responses", "anthropic_messages", "gemini_generate"])
@pytest.mark.parametrize("surface", table.SURFACES)
def test_what_a_hosted_tool_did_is_named_to_other_dialects(
    dialects: Dialects, surface: str, wire: str, streamed: bool
) -> None:
    body = answer(dialects, surface, wire, "hosted_tool", streamed)

    assert bool(dropped(body)) is (surface != wire)


def test_a_picture_is_shown_by_the_sdk_of_responses(dialects: Dialects) -> None:
    with (
        openai.OpenAI(base_url=f"{dialects.gateway.url}/v1", api_key=MASTER_KEY) as client,
        client.responses.stream(model="gemini_generate", input="[[scenario:made_picture]]") as stream,
    ):
        output = stream.get_final_response().output

    pictures = [item.result for item in output if item.type == "image_generation_call"]
    assert pictures == [PICTURE["data"]]
