"""What replies of real models cost, as the catalogue has their prices and their providers' words say."""

import json
from typing import Any

import pytest

from tests.conftest import StartGateway, deployment, gateway_config
from tests.forms import field, file, form, form_type
from tests.gateway_process import MASTER_KEY, GatewayProcess, wait_until
from tests.raw_http import Response
from tests.upstreams import replies
from tests.upstreams.scripted import ScriptedUpstream

MODELS = {
    "groq": "groq/openai/gpt-oss-120b",
    "kimi": "moonshot/kimi-k2.6",
    "whisper": "openai/whisper-1",
    "imagen": "xai/grok-imagine-image",
    "opus": "anthropic/claude-opus-4-8",
    "voxtral": "mistral/voxtral-mini-latest",
    "tts": "openai/tts-1",
    "mini-tts": "openai/gpt-4o-mini-tts",
}
MESSAGE = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "Hi"}],
}
ASKED = {"model": "opus", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def gateway(start_gateway: StartGateway, upstream: ScriptedUpstream) -> GatewayProcess:
    """A gateway to models of the catalogue."""
    entries = [deployment(name, upstream.base_url, model) for name, model in MODELS.items()]
    return start_gateway(gateway_config(*entries))


def told(response: Response) -> tuple[str | None, str | None]:
    """The cost, and how far it is known."""
    assert response.status == 200, response.body
    return response.header("x-llmgw-response-cost"), response.header("x-llmgw-price-status")


def statuses(gateway: GatewayProcess) -> dict[str, float]:
    """How many replies have a cost of each status, as soon as there are any."""

    def counts() -> dict[str, float]:
        found = gateway.metrics().items()
        ours = {name: count for name, count in found if name.startswith("llmgw_costs_total") and count}
        return {name.split('"')[1]: count for name, count in ours.items()}

    wait_until(lambda: bool(counts()), "a cost is counted")
    return counts()


def chat(usage: dict[str, Any], **fields: Any) -> bytes:
    """A chat's reply."""
    return json.dumps({**json.loads(replies.CHAT_BODY), "usage": usage, **fields}).encode()


def ask_claude(gateway: GatewayProcess, upstream: ScriptedUpstream, **usage: Any) -> Response:
    """A message that used so much beside a thousand tokens of input."""
    used: dict[str, Any] = {"input_tokens": 1000, "output_tokens": 1000, **usage}
    body = {**MESSAGE, "usage": used}
    upstream.then(replies.reply(json.dumps(body).encode()))
    return gateway.post("/v1/messages", ASKED)


def test_groqs_usual_tier_has_the_usual_price(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    upstream.then(replies.reply(chat(usage, service_tier="on_demand")))

    assert told(gateway.chat("groq")) == ("0.00021", "priced")


def test_kimi_tells_cached_tokens_beside_the_details(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, "cached_tokens": 900}
    upstream.then(replies.reply(chat(usage)))

    # 100 * 950 + 900 * 160 + 100 * 4000 nano-dollars
    assert told(gateway.chat("kimi")) == ("0.000639", "priced")


@pytest.mark.parametrize(("model", "status"), [("tts", "priced"), ("mini-tts", "partial")])
def test_speech_is_priced_by_the_character_but_not_by_tokens_that_nobody_counted(
    gateway: GatewayProcess, upstream: ScriptedUpstream, model: str, status: str
) -> None:
    upstream.then(replies.reply(b"{}", content_type="audio/mpeg"))
    asked = {"model": model, "input": "Hello, hello", "voice": "alloy"}

    assert gateway.post("/v1/audio/speech", asked).status == 200
    assert statuses(gateway) == {status: 1}


@pytest.mark.parametrize(
    ("model", "usage", "cost"),
    [
        ("whisper", {"type": "duration", "seconds": 9}, "0.0009"),
        ("voxtral", {"prompt_audio_seconds": 203, "prompt_tokens": 4, "completion_tokens": 635}, "0.01015"),
    ],
)
def test_seconds_that_are_told_are_priced(
    gateway: GatewayProcess, upstream: ScriptedUpstream, model: str, usage: dict[str, Any], cost: str
) -> None:
    upstream.then(replies.reply(json.dumps({"text": "Hello there, this is it.", "usage": usage}).encode()))
    body = form([field("model", model), file(b"RIFF", filename="a.wav")])

    reply = gateway.post("/v1/audio/transcriptions", body, MASTER_KEY, [form_type()])

    assert told(reply) == (cost, "priced")


def test_images_are_priced_by_the_piece(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(replies.reply(b'{"created":1,"data":[{"url":"a"}]}'))

    reply = gateway.post("/v1/images/generations", {"model": "imagen", "prompt": "A cat on a mat"})

    assert told(reply)[1] == "priced"


@pytest.mark.parametrize(
    "usage",
    [
        {"service_tier": "standard", "speed": "fast"},
        {"inference_geo": "us"},
        {"server_tool_use": {"web_search_requests": 10}},
    ],
    ids=lambda usage: list(usage)[-1],
)
def test_what_no_list_has_the_price_of_leaves_a_cost_partial(
    gateway: GatewayProcess, upstream: ScriptedUpstream, usage: dict[str, Any]
) -> None:
    assert told(ask_claude(gateway, upstream, **usage)) == ("0.03", "partial")


def test_a_compaction_is_charged(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    steps = [
        {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3500},
        {"type": "message", "input_tokens": 1000, "output_tokens": 1000},
    ]

    # 181,000 * 5000 + 4500 * 25,000 nano-dollars
    assert told(ask_claude(gateway, upstream, iterations=steps)) == ("1.0175", "priced")


def test_a_stream_that_breaks_off_is_an_estimate(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 1}
    text = {"type": "text_delta", "text": "word " * 200}
    told: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**MESSAGE, "content": [], "usage": usage}},
        *({"type": "content_block_delta", "index": 0, "delta": text} for _ in range(5)),
    ]
    lines = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in told)
    upstream.then(replies.reply(b"".join(lines), content_type="text/event-stream", framing="close"))

    gateway.post("/v1/messages", {**ASKED, "stream": True})

    assert statuses(gateway) == {"estimated": 1}
