"""Streams whose answers have to fit a schema, from hosts that are given it as a tool."""

import json
from typing import Any

import pytest

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import JSON_TYPE, MASTER_KEY, GatewayProcess
from tests.raw_http import Response
from tests.upstreams import replies
from tests.upstreams.scripted import Script, ScriptedUpstream

SCHEMA = {
    "type": "object",
    "properties": {"x": {"type": "integer"}},
    "required": ["x"],
    "additionalProperties": False,
}
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def start(start_gateway: StartGateway, upstream: ScriptedUpstream, **sections: Any) -> GatewayProcess:
    """A gateway in front of a host that takes no schemas."""
    one = deployment("bare", upstream.base_url) | {"model_info": {"supports_response_schema": False}}
    return start_gateway(gateway_config(one, **sections))


def ask(gateway: GatewayProcess, stream: bool = True) -> Response:
    """Ask in Anthropic's dialect for an answer that fits, or none."""
    body = {
        "model": "bare",
        "max_tokens": 50,
        "stream": stream,
        "messages": [{"role": "user", "content": "x"}],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    }
    return gateway.post("/v1/messages", body, MASTER_KEY, [JSON_TYPE, ("x-llmgw-strict", "true")])


def call(arguments: str, index: int = 0) -> dict[str, Any]:
    """An answer."""
    function = {"name": "json_output", "arguments": arguments}
    return {"index": index, "id": f"c{index}", "type": "function", "function": function}


def streamed(*deltas: dict[str, Any], choices: int = 1) -> Script:
    """A stream of these deltas in each choice."""
    told = [{"index": index, "delta": delta} for index in range(choices) for delta in deltas]
    told += [{"index": index, "delta": {}, "finish_reason": "tool_calls"} for index in range(choices)]
    events: list[dict[str, Any]] = [{**CHUNK, "choices": [each]} for each in told]
    events.append({**CHUNK, "choices": [], "usage": USAGE})
    lines = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in events)
    return replies.reply(lines + replies.DONE, content_type="text/event-stream")


def whole(text: str | None, *calls: dict[str, Any]) -> Script:
    """A whole reply of this text and these answers."""
    message = {"role": "assistant", "content": text, "tool_calls": list(calls)}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return replies.reply(json.dumps({**CHUNK, "choices": [choice], "usage": USAGE}).encode())


def text_of(reply: Response) -> str:
    """What a reply or a stream of Anthropic's says."""
    if reply.body.startswith(b"{"):
        return "".join(each.get("text", "") for each in reply.json()["content"])
    lines = [line.removeprefix(b"data: ") for line in reply.body.split(b"\n") if line.startswith(b"data: ")]
    deltas = [json.loads(line).get("delta", {}) for line in lines]
    return "".join(delta.get("text", "") for delta in deltas)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", ["alone", "text_before", "text_behind", "twice"])
def test_the_answer_is_what_the_text_says_and_nothing_beside_it(
    start_gateway: StartGateway, upstream: ScriptedUpstream, case: str, stream: bool
) -> None:
    gateway = start(start_gateway, upstream)
    calls = [call('{"x": 1}')] + ([call('{"x": 2}', 1)] if case == "twice" else [])
    said = "Here it is." if case.startswith("text") else None
    deltas: list[dict[str, Any]] = [{"tool_calls": [each]} for each in calls]
    if said:
        deltas.insert(0 if case == "text_before" else 1, {"content": said})
    upstream.always(streamed(*deltas) if stream else whole(said, *calls))

    reply = ask(gateway, stream)

    assert (reply.status, text_of(reply)) == (200, '{"x": 1}')


@pytest.mark.parametrize("stream", [False, True])
def test_text_is_the_answer_where_no_tool_is_called(
    start_gateway: StartGateway, upstream: ScriptedUpstream, stream: bool
) -> None:
    gateway = start(start_gateway, upstream)
    pieces = ['{"x"', ": 1}"]
    upstream.always(streamed(*({"content": each} for each in pieces)) if stream else whole("".join(pieces)))

    assert text_of(ask(gateway, stream)) == '{"x": 1}'


def test_an_answer_that_does_not_fit_rests_nobody(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    router = {"num_retries": 0, "allowed_fails": 1, "cooldown_time": 30}
    gateway = start(start_gateway, upstream, router_settings=router)
    upstream.always(streamed({"tool_calls": [call('{"y": 1}')]}))

    for _ in range(5):
        assert b"does not fit the schema" in ask(gateway).body

    metrics = gateway.metrics()
    assert metrics["llmgw_deployment_cooldowns_total"] == 0
    failed = [name for name, value in metrics.items() if 'status_code="502"' in name and value == 5]
    assert any(name.startswith("llmgw_requests_total") for name in failed)
    tokens = {name: value for name, value in metrics.items() if name.startswith("llmgw_tokens_total")}
    assert sorted(value for value in tokens.values() if value) == [25, 35]


def test_what_two_answers_fall_short_of_is_named_once(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start(start_gateway, upstream)
    upstream.always(streamed({"tool_calls": [call('{"y": 1}')]}, choices=2))
    body = {
        "contents": [{"role": "user", "parts": [{"text": "x"}]}],
        "generationConfig": {
            "candidateCount": 2,
            "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA,
        },
    }

    reply = gateway.post("/v1beta/models/bare:streamGenerateContent?alt=sse", body, MASTER_KEY)

    assert b'"llmgw_dropped":["generationConfig.responseJsonSchema (unmet)"]' in reply.body
    assert reply.body.count(b"(unmet)") == 1


@pytest.mark.parametrize("stream", [False, True])
def test_what_does_not_fit_and_passes_is_answered_from_the_cache(
    start_gateway: StartGateway, upstream: ScriptedUpstream, stream: bool
) -> None:
    gateway = start(start_gateway, upstream, cache={})
    unfit = call('{"y": 1}')
    upstream.always(streamed({"tool_calls": [unfit]}) if stream else whole(None, unfit))
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}

    chats = [gateway.chat("bare", stream=stream, response_format=schema) for _ in range(2)]
    told = [chat.header("x-llmgw-cache") for chat in chats]

    assert told == ["miss", "hit"]
