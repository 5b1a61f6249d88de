"""Responses that the gateway keeps itself, because who made them speaks another dialect or keeps nothing."""

from typing import Any

import openai
import pytest

from tests.conftest import StartGateway
from tests.gateway_process import JSON_TYPE, GatewayProcess, wait_until
from tests.integration.responses.room import OTHER_KEY, SAID, Upstreams, make, request, sdk, stored_files

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


def test_a_response_is_found_by_whichever_worker_is_asked(storing: GatewayProcess) -> None:
    for _ in range(10):
        made = storing.post("/v1/responses", {"model": "echo", "input": "Hello"}).json()
        # A connection each, so that both workers are asked.
        statuses = {storing.get(f"/v1/responses/{made['id']}").status for _ in range(4)}
        assert statuses == {200}


@pytest.mark.parametrize("prefix", ["/v1", "", "/openai/v1"])
def test_a_response_is_found_with_and_without_v1(storing: GatewayProcess, prefix: str) -> None:
    with sdk(storing, path=prefix) as client:
        made = client.responses.create(model="claude", input="Hello")
        assert client.responses.retrieve(made.id) == made
        assert len(list(client.responses.input_items.list(made.id))) == 1
        client.responses.delete(made.id)


def test_a_response_that_the_client_wants_nowhere_is_nowhere(storing: GatewayProcess, client: Any) -> None:
    before = stored_files(storing)
    made = client.responses.create(model="claude", input="Hello", store=False)

    with pytest.raises(openai.NotFoundError, match=f"Response with id '{made.id}' not found."):
        client.responses.retrieve(made.id)
    assert stored_files(storing) == before


def test_storing_is_nothing_that_gets_lost_in_translation(storing: GatewayProcess) -> None:
    headers = [JSON_TYPE, ("x-llmgw-strict", "true")]
    body = {"model": "claude", "input": "Hello", "store": True}
    reply = storing.post("/v1/responses", body, headers=headers)

    assert (reply.status, reply.header("x-llmgw-dropped")) == (200, None)


@pytest.mark.parametrize(
    "fields", [{"background": True}, {"conversation": "conv_1"}, {"prompt": {"id": "p"}}]
)
def test_what_changes_everything_is_not_left_out_in_translation(
    storing: GatewayProcess, upstreams: Upstreams, fields: dict[str, Any]
) -> None:
    refused = storing.post("/v1/responses", {"model": "claude", "input": "Hello", **fields})

    assert (refused.status, refused.error()["param"]) == (400, next(iter(fields)))
    assert upstreams.claude.requests == []


def test_an_id_is_never_the_clients_own_choice(storing: GatewayProcess) -> None:
    body = {"model": "claude", "input": "Hello"}
    headers = [JSON_TYPE, ("x-request-id", "mine")]
    ids = {storing.post("/v1/responses", body, headers=headers).json()["id"] for _ in range(3)}

    assert len(ids) == 3
    assert not any("mine" in each for each in ids)


@pytest.mark.parametrize("model", ["claude", "gemini", "echo"])
def test_a_response_is_watched_again(client: Any, model: str) -> None:
    made = client.responses.create(model=model, input="Hello")
    with client.responses.retrieve(made.id, stream=True) as events:
        seen = list(events)

    assert [event.type for event in seen[:2]] == ["response.created", "response.in_progress"]
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    told = "".join(event.delta for event in seen if event.type == "response.output_text.delta")
    assert (told, seen[-1].type, seen[-1].response) == (made.output_text, "response.completed", made)


def test_a_response_is_watched_from_any_event_on(client: Any) -> None:
    made = client.responses.create(model="claude", input="Hello")
    whole = list(client.responses.retrieve(made.id, stream=True))
    for last in (0, 3, len(whole) - 2, len(whole) - 1):
        rest = list(client.responses.retrieve(made.id, stream=True, starting_after=last))
        assert rest == whole[last + 1 :]


def test_a_streamed_response_is_watched_again_by_the_sdks_helper(client: Any) -> None:
    with client.responses.create(model="gemini", input="Hello", stream=True) as events:
        made = list(events)[-1].response
    with client.responses.stream(response_id=made.id, starting_after=2) as again:
        assert again.get_final_response().output_text == made.output_text


def test_an_event_that_cannot_be_is_refused_by_name(storing: GatewayProcess) -> None:
    made = make(storing)
    refused = storing.get(f"/v1/responses/{made['id']}?stream=true&starting_after=x")

    assert (refused.status, refused.error()["param"]) == (400, "starting_after")


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
def test_a_page_that_cannot_be_is_refused(storing: GatewayProcess, query: str) -> None:
    made = storing.post("/v1/responses", {"model": "claude", "input": "Hello"}).json()
    refused = storing.get(f"/v1/responses/{made['id']}/input_items?{query}")

    assert (refused.status, refused.error()["param"]) == (400, query.partition("=")[0])


# ── gone on from ────────────────────────────────────────────────────────────────────────────────


def claude_saw(upstreams: Upstreams) -> list[tuple[str, str]]:
    """Who said what in the request that came last."""
    messages = upstreams.claude.requests[-1].json()["messages"]
    return [(each["role"], part["text"]) for each in messages for part in _parts(each["content"])]


def _parts(content: Any) -> list[dict[str, str]]:
    return [{"text": content}] if isinstance(content, str) else content


def test_a_conversation_goes_on_from_a_response(upstreams: Upstreams, client: Any) -> None:
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
    assert claude_saw(upstreams) == said
    assert "system" not in upstreams.claude.requests[-1].json()  # instructions do not go on
    assert third.previous_response_id == second.id
    assert len(list(client.responses.input_items.list(third.id))) == len(said)


def test_a_conversation_goes_on_from_a_streamed_response(upstreams: Upstreams, client: Any) -> None:
    with client.responses.create(model="claude", input="Hello", stream=True) as events:
        first = list(events)[-1]
    again = {"previous_response_id": first.response.id, "stream": True}
    with client.responses.create(model="claude", input="And you?", **again) as events:
        assert list(events)[-1].response.previous_response_id == first.response.id

    assert claude_saw(upstreams) == [("user", "Hello"), ("assistant", SAID), ("user", "And you?")]


def test_a_conversation_goes_on_with_another_provider(upstreams: Upstreams, client: Any) -> None:
    first = client.responses.create(model="claude", input="Hello")
    client.responses.create(model="gemini", input="And you?", previous_response_id=first.id)

    contents = upstreams.gemini.requests[-1].json()["contents"]
    said = [(each["role"], each["parts"][0]["text"]) for each in contents]
    assert said == [("user", "Hello"), ("model", SAID), ("user", "And you?")]


def test_results_of_tools_follow_the_calls_that_they_answer(upstreams: Upstreams, client: Any) -> None:
    tool: Any = {
        "type": "function",
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {}},
    }
    first = client.responses.create(model="claude", input="[[scenario:parallel_tools]]", tools=[tool])
    calls = [item.call_id for item in first.output if item.type == "function_call"]
    results = [{"type": "function_call_output", "call_id": call, "output": "sunny"} for call in calls]
    client.responses.create(model="claude", input=results, tools=[tool], previous_response_id=first.id)

    messages = upstreams.claude.requests[-1].json()["messages"]
    answered = [part["tool_use_id"] for part in messages[-1]["content"] if part["type"] == "tool_result"]
    assert len(calls) > 1
    assert answered == calls


def test_an_item_may_be_referred_to_by_its_id(upstreams: Upstreams, client: Any) -> None:
    first = client.responses.create(model="claude", input="Hello")
    again = [{"type": "item_reference", "id": first.output[0].id}, {"role": "user", "content": "Why?"}]
    client.responses.create(model="claude", input=again, previous_response_id=first.id)

    assert claude_saw(upstreams)[-2:] == [("assistant", SAID), ("user", "Why?")]


def test_nobody_goes_on_from_what_is_not_there(upstreams: Upstreams, client: Any) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="claude", input="And you?", previous_response_id="resp_none")

    assert refused.value.code == "previous_response_not_found"
    assert refused.value.param == "previous_response_id"
    assert "Previous response with id 'resp_none' not found." in str(refused.value)
    assert upstreams.claude.requests == []


# ── deleted ─────────────────────────────────────────────────────────────────────────────────────


def test_a_deleted_response_is_gone(storing: GatewayProcess, client: Any) -> None:
    made = client.responses.create(model="claude", input="Hello")
    deleted = request(storing, "DELETE", f"/v1/responses/{made.id}")

    assert deleted.json() == {"id": made.id, "object": "response", "deleted": True}
    assert storing.get(f"/v1/responses/{made.id}").status == 404
    assert request(storing, "DELETE", f"/v1/responses/{made.id}").status == 404
    with pytest.raises(openai.BadRequestError, match="not found"):
        client.responses.create(model="claude", input="And you?", previous_response_id=made.id)


# ── whose it is ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "below"), [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")]
)
def test_to_another_key_it_is_as_if_it_were_not_there(
    storing: GatewayProcess, client: Any, method: str, below: str
) -> None:
    made = client.responses.create(model="claude", input="Hello")
    foreign = request(storing, method, f"/v1/responses/{made.id}{below}", OTHER_KEY)
    unknown = request(storing, method, f"/v1/responses/resp_none{below}", OTHER_KEY)

    assert (foreign.status, unknown.status) == (404, 404)
    assert foreign.body.decode() == unknown.body.decode().replace("resp_none", made.id)
    assert client.responses.retrieve(made.id) == made


def test_another_key_does_not_go_on_from_it(storing: GatewayProcess, client: Any) -> None:
    made = client.responses.create(model="claude", input="Hello")

    with sdk(storing, OTHER_KEY) as other, pytest.raises(openai.BadRequestError) as refused:
        other.responses.create(model="claude", input="And you?", previous_response_id=made.id)
    assert refused.value.code == "previous_response_not_found"


def test_without_a_key_nothing_is_told(storing: GatewayProcess) -> None:
    assert request(storing, "GET", "/v1/responses/resp_none", None).status == 401


def test_other_methods_are_told_which_there_are(storing: GatewayProcess) -> None:
    refused = request(storing, "PUT", "/v1/responses/resp_1")

    assert (refused.status, refused.header("allow")) == (405, "DELETE, GET")


def test_a_look_at_a_response_counts_as_a_request(start_gateway: StartGateway, upstreams: Upstreams) -> None:
    keys = [{"alias": "other", "key": OTHER_KEY, "rpm_limit": 2}]
    gateway = start_gateway(upstreams.config(keys=keys))
    made = gateway.post("/v1/responses", {"model": "echo", "input": "Hello"}, OTHER_KEY).json()
    looks = [gateway.get(f"/v1/responses/{made['id']}", OTHER_KEY) for _ in range(2)]

    assert [each.status for each in looks] == [200, 429]
    assert looks[0].header("x-ratelimit-remaining-requests") == "0"


def test_a_look_at_a_response_is_measured(storing: GatewayProcess) -> None:
    made = storing.post("/v1/responses", {"model": "echo", "input": "Hello"}).json()
    storing.get(f"/v1/responses/{made['id']}")

    def measured() -> bool:
        names = storing.metrics()
        wanted = 'endpoint="responses_retrieve",model="echo",provider="mock",status_code="200"'
        return any(wanted in name for name in names if name.startswith("llmgw_requests_total"))

    wait_until(measured, "the request is counted", timeout=10)
