"""The vendors' official SDKs, pointed at pass-throughs: they notice nothing."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import anthropic
import boto3
import openai
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from google.genai import errors

from tests.clients.anthropic_messages import AnthropicMessages
from tests.clients.base import Ask
from tests.clients.cohere_chat import CohereChat
from tests.clients.gemini_generate import GeminiGenerate
from tests.clients.openai_chat import OpenAIChat
from tests.clients.openai_responses import OpenAIResponses
from tests.conftest import gateway_config
from tests.e2e.dialects.conftest import AWS, VENDORS
from tests.e2e.dialects.expectations import check
from tests.gateway_process import MASTER_KEY, GatewayProcess
from tests.upstreams import replies
from tests.upstreams.scripted import ScriptedUpstream
from tests.upstreams.vendors.vendor import CREDENTIAL, VendorUpstream

MODELS = {
    "openai_chat": ("openai/*", "gpt-5.1"),
    "openai_responses": ("openai/*", "gpt-5.1"),
    "anthropic_messages": ("anthropic/*", "claude-of-today"),
    "gemini_generate": ("gemini/*", "gemini-2.5-flash"),
    "cohere_chat": ("cohere/*", "command-a-reasoning-08-2025"),
    "bedrock_converse": ("bedrock/*", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
}
CLIENTS: dict[str, Any] = {
    "openai_chat": OpenAIChat,
    "openai_responses": OpenAIResponses,
    "anthropic_messages": AnthropicMessages,
    "gemini_generate": GeminiGenerate,
    "cohere_chat": CohereChat,
}
WRONG_KEY = "not-a-key-0123456789"


@dataclass(frozen=True)
class Passing:
    """The gateway, and the vendor's upstream behind the pass-through of each format's name."""

    gateway: GatewayProcess
    upstreams: dict[str, VendorUpstream]

    def root(self, wire: str) -> str:
        """Where the vendor's own paths begin."""
        return f"{self.gateway.url}/{wire}"


def way(wire: str, root: str) -> dict[str, Any]:
    """The entry of `pass_through`."""
    credential = AWS if wire == "bedrock_converse" else {"api_key": CREDENTIAL}
    return {"params": {"model": MODELS[wire][0], "api_base": root, **credential}, "paths": ["/"]}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passing]:
    """Everything started, for all of these tests."""
    with ExitStack() as stack:
        upstreams = {wire: stack.enter_context(VendorUpstream(VENDORS[wire])) for wire in MODELS}
        ways = {wire: way(wire, each.root) for wire, each in upstreams.items()}
        home = tmp_path_factory.mktemp("passing")
        config = gateway_config(
            pass_through=ways, model_list=[{"model_name": "m", "params": {"model": "mock/m"}}]
        )
        yield Passing(stack.enter_context(GatewayProcess(home, config | {"keys": []})), upstreams)


@pytest.fixture
def passing(running: Passing) -> Iterator[Passing]:
    """Clean upstreams; none of them may have refused what came."""
    for each in running.upstreams.values():
        each.forget()
        each.refused.clear()
    yield running
    assert not [each.refused for each in running.upstreams.values() if each.refused]


@pytest.mark.parametrize("scenario", ["text", "parallel_tools", "image"])
@pytest.mark.parametrize("wire", sorted(CLIENTS))
def test_a_conversation(passing: Passing, wire: str, scenario: str) -> None:
    client = CLIENTS[wire](passing.root(wire), MASTER_KEY, MODELS[wire][1])
    try:
        check(client.ask(Ask(scenario)), wire, wire, scenario)
        check(client.stream(Ask(scenario)), wire, wire, scenario)
    finally:
        client.close()
    assert MASTER_KEY.encode() not in b"".join(one.head for one in passing.upstreams[wire].requests)


def test_awss_sdk_with_a_key_of_ours(passing: Passing) -> None:
    """Over https it sends one as AWS_BEARER_TOKEN_BEDROCK; here, as a header."""
    client: Any = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=passing.root("bedrock_converse"),
        config=Config(signature_version=UNSIGNED, retries={"max_attempts": 1, "mode": "standard"}),
    )
    client.meta.events.register(
        "before-call", lambda params, **_: params["headers"].update({"x-api-key": MASTER_KEY})
    )
    messages = [{"role": "user", "content": [{"text": "hello"}]}]
    model = MODELS["bedrock_converse"][1]

    whole = client.converse(modelId=model, messages=messages)
    events = list(client.converse_stream(modelId=model, messages=messages)["stream"])

    assert whole["output"]["message"]["role"] == "assistant"
    assert "metadata" in events[-1]
    samples = passing.gateway.metrics()
    counted = [value for name, value in samples.items() if "bedrock_converse" in name and '"output"' in name]
    assert sum(counted) == whole["usage"]["outputTokens"] + events[-1]["metadata"]["usage"]["outputTokens"]


@pytest.mark.parametrize("status", [400, 429, 500])
@pytest.mark.parametrize("wire", ["openai_chat", "openai_responses", "anthropic_messages", "gemini_generate"])
def test_the_providers_errors_are_the_sdks_own(passing: Passing, wire: str, status: int) -> None:
    client = CLIENTS[wire](passing.root(wire), MASTER_KEY, MODELS[wire][1])
    try:
        with pytest.raises(client.errors[status]):
            client.ask(Ask(f"error_{status}"))
    finally:
        client.close()


def test_our_own_errors_are_the_sdks_own_too(passing: Passing) -> None:
    with pytest.raises(anthropic.AuthenticationError) as told:
        AnthropicMessages(passing.root("anthropic_messages"), WRONG_KEY, "m").ask(Ask("text"))
    assert isinstance(told.value.body, dict) and told.value.body["error"]["type"] == "authentication_error"
    with pytest.raises(openai.AuthenticationError) as refused:
        OpenAIChat(passing.root("openai_chat"), WRONG_KEY, "m").ask(Ask("text"))
    assert refused.value.code == "invalid_api_key"
    with pytest.raises(errors.ClientError) as said:
        GeminiGenerate(passing.root("gemini_generate"), WRONG_KEY, "m").ask(Ask("text"))
    assert said.value.status == "UNAUTHENTICATED"


def test_what_the_gateway_does_not_know_itself_works(
    upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Fine-tuning, a form with a file, and a binary download, by OpenAI's SDK."""
    root = upstream.base_url.removesuffix("/v1")
    params = {"model": "openai/*", "api_base": root, "api_key": CREDENTIAL}
    config = gateway_config(pass_through={"tuning": {"params": params, "paths": ["/v1/"]}})
    config |= {"keys": [], "model_list": [{"model_name": "m", "params": {"model": "mock/m"}}]}
    sound = bytes(range(256)) * 500
    with GatewayProcess(tmp_path_factory.mktemp("tuning"), config) as gateway:
        client = openai.OpenAI(base_url=f"{gateway.url}/tuning/v1", api_key=MASTER_KEY, max_retries=0)
        upstream.then(
            replies.reply(b'{"id":"file-1","object":"file","purpose":"fine-tune"}'),
            replies.reply(b'{"id":"ftjob-1","object":"fine_tuning.job","status":"queued"}'),
            replies.reply(sound, content_type="application/octet-stream"),
        )
        uploaded = client.files.create(file=("train.jsonl", b'{"messages":[]}\n' * 1000), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model="gpt-5.1", training_file=uploaded.id)
        content = client.files.content("file-2").read()

    assert (uploaded.id, job.id, content) == ("file-1", "ftjob-1", sound)
    lines = [request.line for request in upstream.requests]
    assert lines == [
        "POST /v1/files HTTP/1.1",
        "POST /v1/fine_tuning/jobs HTTP/1.1",
        "GET /v1/files/file-2/content HTTP/1.1",
    ]
    assert upstream.requests[0].body.count(b'{"messages":[]}') == 1000
