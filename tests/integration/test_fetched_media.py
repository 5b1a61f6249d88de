"""Pictures, documents and recordings at URLs, for upstreams that take bytes only."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.certificates import Certificate, make_certificate, needs_openssl
from tests.conftest import KEYS_ENVIRONMENT, StartGateway, gateway_config
from tests.gateway_process import JSON_TYPE, GatewayProcess, post_bytes
from tests.raw_http import Response
from tests.upstreams import replies
from tests.upstreams.media_host import PDF, PNG, WAV, MediaHost, Thing
from tests.upstreams.scripted import ScriptedUpstream
from tests.upstreams.vendors import bedrock_converse, gemini_generate
from tests.upstreams.vendors.vendor import CREDENTIAL, VendorUpstream

pytestmark = needs_openssl

CHAT = "/v1/chat/completions"
NETWORKS = ["127.0.0.0/8", "::1/128"]
MOST_BYTES = 100_000
AWS = {
    "aws_access_key_id": bedrock_converse.ACCESS_KEY,
    "aws_secret_access_key": bedrock_converse.SECRET_KEY,
    "aws_region_name": bedrock_converse.REGION,
}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass(frozen=True)
class Stage:
    """A gateway, the host that the media are on, and the upstreams that take bytes."""

    gateway: GatewayProcess
    host: MediaHost
    bedrock: VendorUpstream
    gemini: VendorUpstream
    chat: ScriptedUpstream

    def ask(self, model: str, *urls: str, **fields: Any) -> Response:
        """A chat of OpenAI's with these pictures."""
        return self.gateway.chat(model, messages=[user(*map(picture, urls))], **fields)

    def forget(self) -> None:
        for each in (self.host, self.bedrock, self.gemini, self.chat):
            each.forget()


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": "What is this?"}, *parts]}


def picture(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def entries(bedrock: VendorUpstream, gemini: VendorUpstream, chat: ScriptedUpstream) -> list[dict[str, Any]]:
    """A group for each way to take media."""
    google = {"api_base": gemini.root, "api_key": CREDENTIAL}
    params = {
        "bedrock": {"model": "bedrock/amazon.nova-pro-v1:0", "api_base": bedrock.root, **AWS},
        "gemini-2.0": {"model": "gemini/gemini-2.0-flash", **google},
        "gemini-2.5": {"model": "gemini/gemini-2.5-flash", **google},
        "local": {"model": "ollama/llava", "api_base": chat.base_url, "api_key": "k"},
        "openai": {"model": "openai/gpt-5.1", "api_base": chat.base_url, "api_key": "k"},
    }
    return [{"model_name": name, "litellm_params": each} for name, each in params.items()]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def running(certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with ExitStack() as started:
        host = started.enter_context(MediaHost(certificate))
        bedrock = started.enter_context(VendorUpstream(bedrock_converse.VENDOR))
        gemini = started.enter_context(VendorUpstream(gemini_generate.VENDOR))
        chat = started.enter_context(ScriptedUpstream(replies.answer_chat))
        media = {
            "max_bytes": MOST_BYTES,
            "max_items": 3,
            "timeout": 1.5,
            "allow_hosts": [f"localhost:{host.port}"],
        }
        config = gateway_config(
            *entries(bedrock, gemini, chat),
            keys=[],
            router_settings={"num_retries": 1, "fallbacks": [{"openai": ["local"]}]},
            egress={"ca_file": str(certificate.cert_file), "allow_networks": NETWORKS, "fetch_media": media},
        )
        home = tmp_path_factory.mktemp("media")
        gateway = started.enter_context(GatewayProcess(home, config, env=KEYS_ENVIRONMENT))
        yield Stage(gateway, host, bedrock, gemini, chat)


@pytest.fixture
def stage(running: Stage) -> Stage:
    running.gateway.assert_running()
    running.forget()
    return running


def blocks_at_bedrock(stage: Stage) -> list[dict[str, Any]]:
    (message,) = stage.bedrock.only_request().json()["messages"]
    content: list[dict[str, Any]] = message["content"]
    return [block for block in content if "text" not in block]


IMAGE_AT_BEDROCK = {"image": {"format": "png", "source": {"bytes": b64(PNG)}}}


# ── what arrives ────────────────────────────────────────────────────────────────────────────────


def bodies(url: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """A picture by URL, as every client says it: path and body."""
    text = "What is this?"
    claude = [{"type": "text", "text": text}, {"type": "image", "source": {"type": "url", "url": url}}]
    parts = [{"text": text}, {"fileData": {"fileUri": url, "mimeType": "image/png"}}]
    given = [{"type": "input_text", "text": text}, {"type": "input_image", "image_url": url}]
    return {
        "openai_chat": (CHAT, {"model": "bedrock", "messages": [user(picture(url))]}),
        "openai_responses": (
            "/v1/responses",
            {"model": "bedrock", "input": [{"role": "user", "content": given}]},
        ),
        "anthropic_messages": (
            "/v1/messages",
            {"model": "bedrock", "max_tokens": 100, "messages": [{"role": "user", "content": claude}]},
        ),
        "gemini_generate": (
            "/v1beta/models/bedrock:generateContent",
            {"contents": [{"role": "user", "parts": parts}]},
        ),
    }


@pytest.mark.parametrize("dialect", list(bodies("")))
def test_a_picture_by_url_arrives_as_bytes_whatever_its_client_speaks(stage: Stage, dialect: str) -> None:
    path, body = bodies(stage.host.has("/picture.png"))[dialect]

    response = stage.gateway.post(path, body)

    assert (response.status, response.header("x-llmgw-dropped")) == (200, None)
    assert blocks_at_bedrock(stage) == [IMAGE_AT_BEDROCK]


def test_a_picture_arrives_as_bytes_at_a_gemini_that_fetches_nothing(stage: Stage) -> None:
    assert stage.ask("gemini-2.0", stage.host.has("/picture.png")).status == 200

    parts = stage.gemini.only_request().json()["contents"][0]["parts"]
    assert parts[1] == {"inlineData": {"mimeType": "image/png", "data": b64(PNG)}}


def test_who_fetches_is_left_to_fetch(stage: Stage) -> None:
    url = stage.host.has("/picture.png")
    assert stage.ask("gemini-2.5", url).status == 200
    assert stage.ask("openai", url).status == 200

    parts = stage.gemini.only_request().json()["contents"][0]["parts"]
    assert parts[1] == {"fileData": {"mimeType": "image/png", "fileUri": url}}
    assert stage.chat.only_request().json()["messages"][0]["content"][1] == picture(url)
    assert stage.host.paths() == []


def test_a_document_by_url_arrives_as_bytes_where_chats_have_no_place_for_its_url(stage: Stage) -> None:
    url = stage.host.has("/paper.pdf", Thing(PDF, "application/pdf"))
    source = {"type": "url", "url": url}
    content = [{"type": "text", "text": "Sum it up."}, {"type": "document", "source": source}]
    body = {"model": "openai", "max_tokens": 100, "messages": [{"role": "user", "content": content}]}

    assert stage.gateway.post("/v1/messages", body).status == 200

    file = stage.chat.only_request().json()["messages"][0]["content"][1]["file"]
    assert file["file_data"] == f"data:application/pdf;base64,{b64(PDF)}"


def test_a_recording_by_url_arrives_as_bytes(stage: Stage) -> None:
    url = stage.host.has("/hello.wav", Thing(WAV, "audio/x-wav"))
    parts = [{"text": "Say it again."}, {"fileData": {"fileUri": url, "mimeType": "audio/wav"}}]

    response = stage.gateway.post(
        "/v1beta/models/openai:generateContent", {"contents": [{"role": "user", "parts": parts}]}
    )

    assert response.status == 200
    part = stage.chat.only_request().json()["messages"][0]["content"][1]
    assert part["input_audio"] == {"data": b64(WAV), "format": "wav"}


def test_a_host_of_the_clients_own_dialect_gets_the_bytes_and_all_that_stands_beside_them(
    stage: Stage,
) -> None:
    url = stage.host.has("/picture.png")

    assert stage.ask("local", url, seed=7, x_unknown={"a": 1}).status == 200

    sent = stage.chat.only_request().json()
    data = f"data:image/png;base64,{b64(PNG)}"
    assert sent["messages"] == [user(picture(data))]
    assert (sent["seed"], sent["x_unknown"]) == (7, {"a": 1})


def test_the_picture_that_a_tool_shows_is_fetched_too(stage: Stage) -> None:
    shown = {"type": "image", "source": {"type": "url", "url": stage.host.has("/screen.png")}}
    use = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [shown]}
    messages = [
        {"role": "user", "content": "Look!"},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [result]},
    ]
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    body = {"model": "bedrock", "max_tokens": 100, "messages": messages, "tools": tools}

    assert stage.gateway.post("/v1/messages", body).status == 200

    (block,) = stage.bedrock.only_request().json()["messages"][2]["content"]
    assert block["toolResult"]["content"] == [IMAGE_AT_BEDROCK]


def test_a_stream_is_asked_for_with_the_bytes(stage: Stage) -> None:
    response = stage.ask("bedrock", stage.host.has("/picture.png"), stream=True)

    assert response.status == 200
    assert b"[DONE]" in response.body
    assert blocks_at_bedrock(stage) == [IMAGE_AT_BEDROCK]


# ── how often, and with what ────────────────────────────────────────────────────────────────────


def test_what_is_named_twice_is_fetched_once(stage: Stage) -> None:
    url = stage.host.has("/picture.png")

    assert stage.ask("bedrock", url, url).status == 200

    assert blocks_at_bedrock(stage) == [IMAGE_AT_BEDROCK, IMAGE_AT_BEDROCK]
    assert stage.host.paths() == ["/picture.png"]


def test_pictures_are_fetched_side_by_side(stage: Stage) -> None:
    urls = [stage.host.has(f"/{number}.png", Thing(company=3)) for number in range(3)]

    assert stage.ask("bedrock", *urls).status == 200


def test_a_retry_does_not_fetch_again(stage: Stage) -> None:
    stage.chat.then(replies.failing(500))

    response = stage.ask("local", stage.host.has("/picture.png"))

    assert (response.status, response.header("x-llmgw-attempts")) == (200, "2")
    assert stage.host.paths() == ["/picture.png"]


def test_a_fallback_that_takes_bytes_only_gets_them(stage: Stage) -> None:
    stage.chat.then(replies.failing(500), replies.failing(500))
    url = stage.host.has("/picture.png")

    assert stage.ask("openai", url).status == 200

    first, second, third = (each.json()["messages"][0]["content"][1] for each in stage.chat.requests)
    assert first == second == picture(url)
    assert third == picture(f"data:image/png;base64,{b64(PNG)}")


def test_a_fallback_that_cannot_be_given_its_picture_does_not_hide_why_it_was_needed(stage: Stage) -> None:
    stage.chat.then(replies.failing(500), replies.failing(500))

    response = stage.ask("openai", stage.host.has("/picture.png", Thing(status=404)))

    assert (response.status, response.error()["code"]) == (503, "upstream_overloaded")
    assert len(stage.chat.requests) == 2


def test_the_host_is_told_nothing_of_the_client(stage: Stage) -> None:
    url = stage.host.has("/picture.png")
    headers = [JSON_TYPE, ("cookie", "c=1"), ("user-agent", "client"), ("x-forwarded-for", "1.2.3.4")]

    body = {"model": "bedrock", "messages": [user(picture(url))]}
    assert stage.gateway.post(CHAT, body, headers=headers).status == 200

    (asked,) = stage.host.asked
    assert asked.headers == {
        "host": f"localhost:{stage.host.port}",
        "accept": "image/*, application/pdf, audio/*",
        "accept-encoding": "identity",
        "user-agent": "llmgw",
    }


def test_a_redirect_is_followed(stage: Stage) -> None:
    url = stage.host.has("/moved", Thing(b"", status=302, location="/picture.png"))
    stage.host.has("/picture.png")

    assert stage.ask("bedrock", url).status == 200
    assert stage.host.paths() == ["/moved", "/picture.png"]


# ── what is refused ─────────────────────────────────────────────────────────────────────────────


def refusal(stage: Stage, response: Response) -> str:
    """The reason in a refusal that names the picture; nobody may have been asked for an answer."""
    error = response.error()
    assert (response.status, error["code"]) == (400, "invalid_request")
    assert error["param"] == "messages[0].content[1].image_url"
    assert response.header("x-should-retry") == "false"
    assert not stage.bedrock.requests
    what, _, why = str(error["message"]).partition(": ")
    assert what == "What `messages[0].content[1].image_url` leads to was not fetched"
    return why


@pytest.mark.parametrize(
    ("thing", "why"),
    [
        (Thing(status=404), "its host answered with status 404."),
        (Thing(PNG * 1000), f"more than {MOST_BYTES} bytes are not fetched for one request."),
        (Thing(b"<html>", "text/html"), "it is not a picture in PNG, JPEG, GIF or WebP."),
        (Thing(b"a secret", "image/png"), "it is not a picture in PNG, JPEG, GIF or WebP."),
        (Thing(PNG, stalls=True), "it took too long."),
        (
            Thing(status=302, location="https://10.0.0.1/a.png"),
            "its host is not among those that may be asked.",
        ),
        (Thing(status=302, location="http://localhost/a.png"), "only https URLs are fetched."),
    ],
    ids=["missing", "large", "page", "text", "slow", "private", "plain"],
)
def test_what_cannot_be_had_is_refused(stage: Stage, thing: Thing, why: str) -> None:
    assert refusal(stage, stage.ask("bedrock", stage.host.has("/picture.png", thing))) == why
    assert len(stage.host.asked) == 1


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://localhost/a.png", "only https URLs are fetched."),
        ("https://user:pw@localhost/a.png", "a login in the URL is not allowed."),
        ("https://2130706433/a.png", "an address has to be written as four decimal numbers."),
        ("https://169.254.169.254/a.png", "its host is not among those that may be asked."),
    ],
)
def test_what_is_not_to_be_fetched_is_refused(stage: Stage, url: str, why: str) -> None:
    assert refusal(stage, stage.ask("bedrock", url)) == why


def test_a_refusal_speaks_the_clients_dialect_and_does_not_repeat_the_url(stage: Stage) -> None:
    url = stage.host.has("/picture.png?signature=canary", Thing(status=403))
    path, body = bodies(url)["anthropic_messages"]

    response = stage.gateway.post(path, body)

    told = json.loads(response.body)
    assert (response.status, told["type"], told["error"]["type"]) == (400, "error", "invalid_request_error")
    assert "messages[0].content[1].source" in told["error"]["message"]
    assert b"canary" not in response.body
    assert "canary" not in stage.gateway.log()


def test_more_than_is_allowed_is_refused_before_anything_is_fetched(stage: Stage) -> None:
    urls = [stage.host.has(f"/{number}.png") for number in range(4)]

    response = stage.ask("bedrock", *urls)

    assert (response.status, response.error()["code"]) == (400, "invalid_request")
    assert "More than 3 URLs" in response.error()["message"]
    assert stage.host.paths() == []


def test_all_of_a_request_may_be_no_larger_than_allowed(stage: Stage) -> None:
    half = Thing(PNG + bytes(MOST_BYTES // 2))
    urls = [stage.host.has(f"/{number}.png", half) for number in range(2)]

    assert stage.ask("bedrock", urls[0]).status == 200
    response = stage.ask("bedrock", *urls)

    assert (response.status, "bytes are not fetched" in response.error()["message"]) == (400, True)


def counted(stage: Stage) -> list[float]:
    """How many things were fetched so far, and how many were not."""
    samples = stage.gateway.metrics()
    return [samples[f'llmgw_media_fetched_total{{result="{word}"}}'] for word in ("fetched", "refused")]


def test_a_client_that_leaves_ends_the_fetching(stage: Stage) -> None:
    before = counted(stage)
    url = stage.host.has("/picture.png", Thing(stalls=True))
    with stage.gateway.connect() as client:
        client.send(post_bytes(CHAT, {"model": "bedrock", "messages": [user(picture(url))]}))
        asked = stage.host.wait_for_request()

    assert asked.closed.wait(10)
    assert counted(stage) == before, "the deadline has ended it"


def test_what_was_fetched_and_what_was_not_is_counted(stage: Stage) -> None:
    before = counted(stage)
    stage.ask("bedrock", stage.host.has("/picture.png"))
    stage.ask("bedrock", stage.host.has("/none.png", Thing(status=404)))

    assert [now - then for now, then in zip(counted(stage), before, strict=True)] == [1, 1]


# ── other settings ──────────────────────────────────────────────────────────────────────────────


def test_nothing_is_fetched_unless_it_is_switched_on(
    start_gateway: StartGateway, stage: Stage, certificate: Certificate
) -> None:
    egress = {"ca_file": str(certificate.cert_file), "allow_networks": NETWORKS}
    own = entries(stage.bedrock, stage.gemini, stage.chat)
    gateway = start_gateway(gateway_config(*own, keys=[], egress=egress))

    url = stage.host.has("/picture.png")
    response = gateway.chat("bedrock", messages=[user(picture(url))])

    assert (response.status, response.header("x-llmgw-dropped")) == (200, "messages[0].content[1]")
    assert stage.host.paths() == []


def test_private_addresses_stay_out_of_reach_of_hosts_that_are_only_named(
    start_gateway: StartGateway, stage: Stage, certificate: Certificate
) -> None:
    media = {"allow_hosts": [f"localhost:{stage.host.port}"]}
    egress = {"ca_file": str(certificate.cert_file), "fetch_media": media}
    own = entries(stage.bedrock, stage.gemini, stage.chat)
    gateway = start_gateway(gateway_config(*own, keys=[], egress=egress))

    response = gateway.chat("bedrock", messages=[user(picture(stage.host.has("/picture.png")))])

    assert refusal(stage, response) == "its host could not be reached."
    assert stage.host.paths() == []
    assert "the name leads to the private address" in gateway.log()
