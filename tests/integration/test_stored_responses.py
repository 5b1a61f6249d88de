"""Responses that the gateway keeps itself, because who made them speaks another dialect or keeps nothing."""

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.conftest import StartGateway, gateway_config
from tests.gateway_process import (
    JSON_TYPE,
    MASTER_KEY,
    GatewayProcess,
    authorization,
    post_bytes,
    wait_until,
)
from tests.raw_http import exchange, request_bytes
from tests.upstreams.vendors import anthropic_messages, gemini_generate
from tests.upstreams.vendors.vendor import CREDENTIAL, VendorUpstream

OTHER_KEY = "test-other-key-0123456789"
KEYS = [{"alias": "other", "key": OTHER_KEY}]
SAID = "Hello there, how can I help?"
"""What the upstreams answer."""


@dataclass(frozen=True)
class Room:
    """A gateway, and the upstreams behind its groups `claude` and `gemini`."""

    gateway: GatewayProcess
    claude: VendorUpstream
    gemini: VendorUpstream

    @property
    def files(self) -> list[Path]:
        """The files of the responses that are kept."""
        return stored_files(self.gateway)


def stored_files(gateway: GatewayProcess) -> list[Path]:
    folder = gateway.home / "state" / "responses"
    return [path for path in folder.glob("*/*") if path.is_file()]


def config(claude: VendorUpstream, gemini: VendorUpstream, **sections: Any) -> dict[str, Any]:
    def entry(name: str, model: str, upstream: VendorUpstream) -> dict[str, Any]:
        params = {"model": model, "api_base": upstream.root, "api_key": CREDENTIAL}
        return {"model_name": name, "litellm_params": params}

    return gateway_config(
        entry("claude", "anthropic/claude-sonnet-4-5", claude),
        entry("gemini", "gemini/gemini-2.5-flash", gemini),
        {"model_name": "echo", "litellm_params": {"model": "mock/echo"}},
        **{"keys": KEYS, **sections},
    )


@pytest.fixture(scope="module")
def upstreams() -> Iterator[tuple[VendorUpstream, VendorUpstream]]:
    with ExitStack() as running:
        vendors = (anthropic_messages.VENDOR, gemini_generate.VENDOR)
        claude, gemini = (running.enter_context(VendorUpstream(each)) for each in vendors)
        yield claude, gemini


@pytest.fixture(scope="module")
def running_room(
    tmp_path_factory: pytest.TempPathFactory, upstreams: tuple[VendorUpstream, VendorUpstream]
) -> Iterator[Room]:
    with GatewayProcess(tmp_path_factory.mktemp("stored"), config(*upstreams), workers=2) as gateway:
        yield Room(gateway, *upstreams)


@pytest.fixture
def room(running_room: Room) -> Room:
    """The module's gateway with two workers, in front of clean upstreams."""
    running_room.gateway.assert_running()
    running_room.claude.forget()
    running_room.gemini.forget()
    return running_room


def sdk(gateway: GatewayProcess, key: str = MASTER_KEY, path: str = "/v1") -> openai.OpenAI:
    return openai.OpenAI(base_url=gateway.url + path, api_key=key, max_retries=0, timeout=20)


@pytest.fixture
def client(room: Room) -> Iterator[Any]:
    """OpenAI's SDK. Its unions of items and events are too wide to be told apart in every test."""
    with sdk(room.gateway) as client:
        yield client


def request(gateway: GatewayProcess, method: str, path: str, key: str | None = MASTER_KEY) -> Any:
    return exchange(gateway.port, request_bytes(method, path, authorization(key)))


# ── found again ─────────────────────────────────────────────────────────────────────────────────


def test_a_response_is_found_again_as_it_was(client: Any) -> None:
    made = client.responses.create(model="claude", input="Hello")

    assert made.output_text == SAID
    assert client.responses.retrieve(made.id) == made


def test_a_streamed_response_is_found_again_as_it_ended(client: Any) -> None:
    with client.responses.create(model="gemini", input="Hello", stream=True) as events:
        last = list(events)[-1]

    assert last.type == "response.completed"
    assert client.responses.retrieve(last.response.id) == last.response


@pytest.mark.parametrize("stream", [False, True])
def test_what_an_upstream_says_that_it_does_not_keep_is_kept_here(client: Any, stream: bool) -> None:
    made = client.responses.create(model="echo", input="Hello", stream=stream)
    if stream:
        made = list(made)[-1].response

    assert made.store is False  # the mock keeps nothing
    assert client.responses.retrieve(made.id) == made


def test_a_response_is_found_by_whichever_worker_is_asked(room: Room) -> None:
    for _ in range(10):
        made = room.gateway.post("/v1/responses", {"model": "echo", "input": "Hello"}).json()
        # A connection each, so that both workers are asked.
        statuses = {room.gateway.get(f"/v1/responses/{made['id']}").status for _ in range(4)}
        assert statuses == {200}


@pytest.mark.parametrize("prefix", ["/v1", "", "/openai/v1"])
def test_a_response_is_found_with_and_without_v1(room: Room, prefix: str) -> None:
    with sdk(room.gateway, path=prefix) as client:
        made = client.responses.create(model="claude", input="Hello")
        assert client.responses.retrieve(made.id) == made
        assert len(list(client.responses.input_items.list(made.id))) == 1
        client.responses.delete(made.id)


def test_a_response_that_the_client_wants_nowhere_is_nowhere(room: Room, client: Any) -> None:
    before = room.files
    made = client.responses.create(model="claude", input="Hello", store=False)

    with pytest.raises(openai.NotFoundError, match=f"Response with id '{made.id}' not found."):
        client.responses.retrieve(made.id)
    assert room.files == before


def test_storing_is_nothing_that_gets_lost_in_translation(room: Room) -> None:
    headers = [JSON_TYPE, ("x-llmgw-strict", "true")]
    body = {"model": "claude", "input": "Hello", "store": True}
    reply = room.gateway.post("/v1/responses", body, headers=headers)

    assert (reply.status, reply.header("x-llmgw-dropped")) == (200, None)


@pytest.mark.parametrize(
    "fields", [{"background": True}, {"conversation": "conv_1"}, {"prompt": {"id": "p"}}]
)
def test_what_changes_everything_is_not_left_out_in_translation(room: Room, fields: dict[str, Any]) -> None:
    refused = room.gateway.post("/v1/responses", {"model": "claude", "input": "Hello", **fields})

    assert (refused.status, refused.error()["param"]) == (400, next(iter(fields)))
    assert room.claude.requests == []


def test_an_id_is_never_the_clients_own_choice(room: Room) -> None:
    body = {"model": "claude", "input": "Hello"}
    headers = [JSON_TYPE, ("x-request-id", "mine")]
    ids = {room.gateway.post("/v1/responses", body, headers=headers).json()["id"] for _ in range(3)}

    assert len(ids) == 3
    assert not any("mine" in each for each in ids)


def test_a_response_cannot_be_watched_again(client: Any) -> None:
    made = client.responses.create(model="claude", input="Hello")

    with pytest.raises(openai.BadRequestError, match="not streamed"):
        client.responses.retrieve(made.id, stream=True)


def test_a_response_that_was_made_at_once_cannot_be_cancelled(client: Any) -> None:
    made = client.responses.create(model="claude", input="Hello")

    with pytest.raises(openai.BadRequestError, match=r"Cannot cancel a synchronous response\."):
        client.responses.cancel(made.id)


# ── what it answers ─────────────────────────────────────────────────────────────────────────────


def test_what_a_response_answers_is_listed_newest_first(client: Any) -> None:
    asked = [{"role": "user", "content": text} for text in ("one", "two", "three")]
    made = client.responses.create(model="claude", input=asked)

    def texts(**page: Any) -> list[str]:
        return [item.content[0].text for item in client.responses.input_items.list(made.id, **page)]

    assert texts() == ["three", "two", "one"]
    assert texts(order="asc") == ["one", "two", "three"]
    assert texts(limit=1) == ["three", "two", "one"]  # the SDK turns the pages


def test_a_page_says_whether_there_is_more(client: Any) -> None:
    asked = [{"role": "user", "content": text} for text in ("one", "two", "three")]
    made = client.responses.create(model="claude", input=asked)

    first = client.responses.input_items.list(made.id, limit=2)
    rest = client.responses.input_items.list(made.id, limit=2, after=first.data[-1].id)

    assert (len(first.data), first.has_more) == (2, True)
    assert (len(rest.data), rest.has_more) == (1, False)


@pytest.mark.parametrize("query", ["limit=0", "limit=1000", "order=sideways", "after=msg_nobody"])
def test_a_page_that_cannot_be_is_refused(room: Room, query: str) -> None:
    made = room.gateway.post("/v1/responses", {"model": "claude", "input": "Hello"}).json()
    refused = room.gateway.get(f"/v1/responses/{made['id']}/input_items?{query}")

    assert (refused.status, refused.error()["param"]) == (400, query.partition("=")[0])


# ── gone on from ────────────────────────────────────────────────────────────────────────────────


def claude_saw(room: Room) -> list[tuple[str, str]]:
    """Who said what in the request that came last."""
    messages = room.claude.requests[-1].json()["messages"]
    return [(each["role"], part["text"]) for each in messages for part in _parts(each["content"])]


def _parts(content: Any) -> list[dict[str, str]]:
    return [{"text": content}] if isinstance(content, str) else content


def test_a_conversation_goes_on_from_a_response(room: Room, client: Any) -> None:
    first = client.responses.create(model="claude", input="Hello", instructions="Be kind.")
    second = client.responses.create(model="claude", input="And you?", previous_response_id=first.id)
    third = client.responses.create(model="claude", input="Bye.", previous_response_id=second.id)

    said = [
        ("user", "Hello"),
        ("assistant", SAID),
        ("user", "And you?"),
        ("assistant", SAID),
        ("user", "Bye."),
    ]
    assert claude_saw(room) == said
    assert "system" not in room.claude.requests[-1].json()  # instructions do not go on
    assert third.previous_response_id == second.id
    assert len(list(client.responses.input_items.list(third.id))) == len(said)


def test_a_conversation_goes_on_from_a_streamed_response(room: Room, client: Any) -> None:
    with client.responses.create(model="claude", input="Hello", stream=True) as events:
        first = list(events)[-1]
    again = {"previous_response_id": first.response.id, "stream": True}
    with client.responses.create(model="claude", input="And you?", **again) as events:
        assert list(events)[-1].response.previous_response_id == first.response.id

    assert claude_saw(room) == [("user", "Hello"), ("assistant", SAID), ("user", "And you?")]


def test_a_conversation_goes_on_with_another_provider(room: Room, client: Any) -> None:
    first = client.responses.create(model="claude", input="Hello")
    client.responses.create(model="gemini", input="And you?", previous_response_id=first.id)

    contents = room.gemini.requests[-1].json()["contents"]
    said = [(each["role"], each["parts"][0]["text"]) for each in contents]
    assert said == [("user", "Hello"), ("model", SAID), ("user", "And you?")]


def test_results_of_tools_follow_the_calls_that_they_answer(room: Room, client: Any) -> None:
    tool: Any = {
        "type": "function",
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {}},
    }
    first = client.responses.create(model="claude", input="[[scenario:parallel_tools]]", tools=[tool])
    calls = [item.call_id for item in first.output if item.type == "function_call"]
    results = [{"type": "function_call_output", "call_id": call, "output": "sunny"} for call in calls]
    client.responses.create(model="claude", input=results, tools=[tool], previous_response_id=first.id)

    messages = room.claude.requests[-1].json()["messages"]
    answered = [part["tool_use_id"] for part in messages[-1]["content"] if part["type"] == "tool_result"]
    assert len(calls) > 1
    assert answered == calls


def test_an_item_may_be_referred_to_by_its_id(room: Room, client: Any) -> None:
    first = client.responses.create(model="claude", input="Hello")
    again = [{"type": "item_reference", "id": first.output[0].id}, {"role": "user", "content": "Why?"}]
    client.responses.create(model="claude", input=again, previous_response_id=first.id)

    assert claude_saw(room)[-2:] == [("assistant", SAID), ("user", "Why?")]


def test_nobody_goes_on_from_what_is_not_there(room: Room, client: Any) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="claude", input="And you?", previous_response_id="resp_none")

    assert refused.value.code == "previous_response_not_found"
    assert refused.value.param == "previous_response_id"
    assert "Previous response with id 'resp_none' not found." in str(refused.value)
    assert room.claude.requests == []


# ── deleted ─────────────────────────────────────────────────────────────────────────────────────


def test_a_deleted_response_is_gone(room: Room, client: Any) -> None:
    made = client.responses.create(model="claude", input="Hello")
    deleted = request(room.gateway, "DELETE", f"/v1/responses/{made.id}")

    assert deleted.json() == {"id": made.id, "object": "response", "deleted": True}
    assert room.gateway.get(f"/v1/responses/{made.id}").status == 404
    assert request(room.gateway, "DELETE", f"/v1/responses/{made.id}").status == 404
    with pytest.raises(openai.BadRequestError, match="not found"):
        client.responses.create(model="claude", input="And you?", previous_response_id=made.id)


# ── whose it is ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "below"), [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")]
)
def test_to_another_key_it_is_as_if_it_were_not_there(
    room: Room, client: Any, method: str, below: str
) -> None:
    made = client.responses.create(model="claude", input="Hello")
    foreign = request(room.gateway, method, f"/v1/responses/{made.id}{below}", OTHER_KEY)
    unknown = request(room.gateway, method, f"/v1/responses/resp_none{below}", OTHER_KEY)

    assert (foreign.status, unknown.status) == (404, 404)
    assert foreign.body.decode() == unknown.body.decode().replace("resp_none", made.id)
    assert client.responses.retrieve(made.id) == made


def test_another_key_does_not_go_on_from_it(room: Room, client: Any) -> None:
    made = client.responses.create(model="claude", input="Hello")

    with sdk(room.gateway, OTHER_KEY) as other, pytest.raises(openai.BadRequestError) as refused:
        other.responses.create(model="claude", input="And you?", previous_response_id=made.id)
    assert refused.value.code == "previous_response_not_found"


def test_without_a_key_nothing_is_told(room: Room) -> None:
    assert request(room.gateway, "GET", "/v1/responses/resp_none", None).status == 401


def test_other_methods_are_told_which_there_are(room: Room) -> None:
    refused = request(room.gateway, "PUT", "/v1/responses/resp_1")

    assert (refused.status, refused.header("allow")) == (405, "DELETE, GET")


def test_a_look_at_a_response_counts_as_a_request(
    start_gateway: StartGateway, upstreams: tuple[VendorUpstream, VendorUpstream]
) -> None:
    keys = [{"alias": "other", "key": OTHER_KEY, "rpm_limit": 2}]
    gateway = start_gateway(config(*upstreams, keys=keys))
    made = gateway.post("/v1/responses", {"model": "echo", "input": "Hello"}, OTHER_KEY).json()
    looks = [gateway.get(f"/v1/responses/{made['id']}", OTHER_KEY) for _ in range(2)]

    assert [each.status for each in looks] == [200, 429]
    assert looks[0].header("x-ratelimit-remaining-requests") == "0"


def test_a_look_at_a_response_is_measured(room: Room) -> None:
    made = room.gateway.post("/v1/responses", {"model": "echo", "input": "Hello"}).json()
    room.gateway.get(f"/v1/responses/{made['id']}")

    def measured() -> bool:
        names = room.gateway.metrics()
        wanted = 'endpoint="responses_retrieve",model="echo",provider="mock",status_code="200"'
        return any(wanted in name for name in names if name.startswith("llmgw_requests_total"))

    wait_until(measured, "the request is counted", timeout=10)


# ── on the disk ─────────────────────────────────────────────────────────────────────────────────


def test_the_disk_says_nothing_of_what_was_said(room: Room, client: Any) -> None:
    made = client.responses.create(model="claude", input="A-word-that-nobody-says")
    client.responses.retrieve(made.id)
    content = b"".join(path.read_bytes() for path in room.files)

    assert content
    for part in (b"A-word-that", b"Hello there", made.id.encode(), b"claude"):
        assert part not in content
    assert {stat.S_IMODE(path.stat().st_mode) for path in room.files} == {0o600}


@pytest.fixture
def own_gateway(
    start_gateway: StartGateway, upstreams: tuple[VendorUpstream, VendorUpstream]
) -> Iterator[GatewayProcess]:
    yield start_gateway(config(*upstreams))


def make(gateway: GatewayProcess, **fields: Any) -> dict[str, Any]:
    reply = gateway.post("/v1/responses", {"model": "claude", "input": "Hello", **fields})
    assert reply.status == 200, reply.body
    made: dict[str, Any] = reply.json()
    return made


def status_of(gateway: GatewayProcess, made: dict[str, Any]) -> int:
    return gateway.get(f"/v1/responses/{made['id']}").status


def test_responses_survive_a_restart(own_gateway: GatewayProcess) -> None:
    made = make(own_gateway)
    own_gateway.stop()
    own_gateway.start()

    assert own_gateway.get(f"/v1/responses/{made['id']}").json() == made


def test_a_damaged_file_is_as_none_and_is_logged(own_gateway: GatewayProcess) -> None:
    made, whole = make(own_gateway), make(own_gateway)
    assert status_of(own_gateway, made) == 200
    (first,) = [path for path in stored_files(own_gateway) if status_without(own_gateway, path, made) == 404]
    data = first.read_bytes()

    for damaged in (data[: len(data) // 2], b"", data[:-1] + bytes([data[-1] ^ 1]), os.urandom(100)):
        first.write_bytes(damaged)
        assert status_of(own_gateway, made) == 404
    assert status_of(own_gateway, whole) == 200
    assert own_gateway.log().count("a stored response cannot be read") == 4
    assert own_gateway.metrics()["llmgw_stored_responses_damaged_total"] == 4


def status_without(gateway: GatewayProcess, path: Path, made: dict[str, Any]) -> int:
    """What is answered while this file is not there."""
    aside = path.with_suffix(".aside")
    path.rename(aside)
    try:
        return status_of(gateway, made)
    finally:
        aside.rename(path)


def test_what_cannot_be_stored_is_answered_all_the_same(
    own_gateway: GatewayProcess,
) -> None:
    # Where the folder should be there is a file: also for root nothing can be written below it.
    (own_gateway.home / "state" / "responses").write_text("")
    made = make(own_gateway)

    assert status_of(own_gateway, made) == 404
    assert "a response was not stored" in own_gateway.log()
    assert own_gateway.metrics()['llmgw_stored_responses_total{result="lost"}'] == 1


def test_a_full_disk_costs_no_reply_and_heals(own_gateway: GatewayProcess) -> None:
    folder = own_gateway.home / "state" / "responses"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk takes root")
    try:
        made = [make(own_gateway) for _ in range(40)]
        statuses = [status_of(own_gateway, each) for each in made]
        assert {200, 404} == set(statuses)
        assert statuses[-1] == 404
        for each, status in zip(made, statuses, strict=True):
            if status == 200:
                assert request(own_gateway, "DELETE", f"/v1/responses/{each['id']}").status == 200
        assert status_of(own_gateway, make(own_gateway)) == 200
    finally:
        own_gateway.stop()
        subprocess.run(["umount", str(folder)], check=True)


def test_a_response_is_kept_for_its_time(
    start_gateway: StartGateway, upstreams: tuple[VendorUpstream, VendorUpstream]
) -> None:
    gateway = start_gateway(config(*upstreams, responses={"keep": 2}))
    made = make(gateway)

    assert status_of(gateway, made) == 200
    wait_until(lambda: status_of(gateway, made) == 404, "its time is over", timeout=10)
    again = gateway.post(
        "/v1/responses", {"model": "claude", "input": "x", "previous_response_id": made["id"]}
    )
    assert again.error()["code"] == "previous_response_not_found"


def test_the_oldest_go_when_there_are_too_many(
    start_gateway: StartGateway, upstreams: tuple[VendorUpstream, VendorUpstream]
) -> None:
    gateway = start_gateway(config(*upstreams, responses={"max_bytes": 40_960}))
    made = [make(gateway) for _ in range(15)]

    wait_until(lambda: status_of(gateway, made[0]) == 404, "the oldest is gone", timeout=10)
    assert status_of(gateway, made[-1]) == 200
    assert sum(path.stat().st_size for path in stored_files(gateway)) <= 40_960


def test_nothing_is_stored_where_storing_is_off(
    start_gateway: StartGateway, upstreams: tuple[VendorUpstream, VendorUpstream]
) -> None:
    gateway = start_gateway(config(*upstreams, responses={"keep": 0}))
    made = make(gateway)
    body = {"model": "claude", "input": "x", "previous_response_id": made["id"]}
    again = gateway.post("/v1/responses", body)

    assert status_of(gateway, made) == 404
    assert (again.status, again.error()["param"]) == (400, "previous_response_id")
    assert stored_files(gateway) == []


def test_what_was_stored_is_removed_once_storing_is_off(
    own_gateway: GatewayProcess, upstreams: tuple[VendorUpstream, VendorUpstream]
) -> None:
    made = make(own_gateway)
    assert status_of(own_gateway, made) == 200
    own_gateway.stop()
    own_gateway.write_config(config(*upstreams, responses={"keep": 0}))
    own_gateway.start()

    wait_until(lambda: stored_files(own_gateway) == [], "the files are removed", timeout=10)


# ── streams and the cache ───────────────────────────────────────────────────────────────────────


def id_in(events: bytes) -> str:
    data = events.split(b"data: ", 1)[1].split(b"\n", 1)[0]
    found: str = json.loads(data)["response"]["id"]
    return found


def test_a_stream_that_breaks_off_is_not_stored(room: Room) -> None:
    body = {"model": "claude", "input": "[[scenario:cut_mid_stream]]", "stream": True}
    reply = room.gateway.post("/v1/responses", body)

    assert b"response.completed" not in reply.body
    assert room.gateway.get(f"/v1/responses/{id_in(reply.body)}").status == 404


def test_a_client_that_leaves_gets_nothing_stored(
    start_gateway: StartGateway, upstreams: tuple[VendorUpstream, VendorUpstream]
) -> None:
    gateway = start_gateway(config(*upstreams))
    body = {"model": "claude", "input": "[[scenario:long]][[cut:1]]", "stream": True}
    with gateway.connect() as client:
        client.send(post_bytes("/v1/responses", body))
        client.read_until(b"response.created")

    def gone() -> bool:
        return gateway.metrics()["llmgw_client_disconnects_total"] == 1

    wait_until(gone, "the client is missed", timeout=10)
    assert stored_files(gateway) == []


def test_a_response_that_is_kept_is_never_given_twice(
    start_gateway: StartGateway, upstreams: tuple[VendorUpstream, VendorUpstream]
) -> None:
    gateway = start_gateway(config(*upstreams, cache={"ttl": 600}))
    body = {"model": "claude", "input": "Hello"}
    kept = [gateway.post("/v1/responses", body) for _ in range(3)]
    loose = [gateway.post("/v1/responses", body | {"store": False}) for _ in range(3)]

    assert [each.header("x-llmgw-cache") for each in kept] == ["bypass"] * 3
    assert len({each.json()["id"] for each in kept}) == 3
    assert [status_of(gateway, each.json()) for each in kept] == [200] * 3
    assert [each.header("x-llmgw-cache") for each in loose] == ["miss", "hit", "hit"]
