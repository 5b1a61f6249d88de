"""Responses that their upstream keeps: the gateway remembers where they are, and whose."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import MASTER_KEY, GatewayProcess, authorization, wait_until
from tests.raw_http import exchange, request_bytes
from tests.upstreams import keeper, replies
from tests.upstreams.keeper import Keeper
from tests.upstreams.vendors import anthropic_messages
from tests.upstreams.vendors.vendor import CREDENTIAL, VendorUpstream

OTHER_KEY = "test-other-key-0123456789"
ALL = keeper.ALL


@pytest.fixture
def kept() -> Iterator[Keeper]:
    """An upstream that keeps what it has made."""
    with Keeper() as upstream:
        yield upstream


@pytest.fixture
def elsewhere() -> Iterator[Keeper]:
    """Another one, which knows nothing of the first one's."""
    with Keeper("elsewhere") as upstream:
        yield upstream


@pytest.fixture
def claude() -> Iterator[VendorUpstream]:
    with VendorUpstream(anthropic_messages.VENDOR) as upstream:
        yield upstream


def native(name: str, upstream: Keeper, **params: Any) -> dict[str, Any]:
    return deployment(name, upstream.base_url, "openai/responses/gpt-5.1", **params)


def config(*entries: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return gateway_config(*entries, keys=[{"alias": "other", "key": OTHER_KEY}], **sections)


@pytest.fixture
def gateway(
    start_gateway: StartGateway, kept: Keeper, elsewhere: Keeper, claude: VendorUpstream
) -> GatewayProcess:
    params = {"model": "anthropic/claude-sonnet-4-5", "api_base": claude.root, "api_key": CREDENTIAL}
    others = [native("elsewhere", elsewhere), {"model_name": "claude", "litellm_params": params}]
    return start_gateway(config(native("native", kept), *others))


def sdk(gateway: GatewayProcess, key: str = MASTER_KEY) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0, timeout=20)


@pytest.fixture
def client(gateway: GatewayProcess) -> Iterator[Any]:
    """OpenAI's SDK. Its unions of items and events are too wide to be told apart in every test."""
    with sdk(gateway) as client:
        yield client


def request(gateway: GatewayProcess, method: str, path: str, key: str = MASTER_KEY) -> Any:
    return exchange(gateway.port, request_bytes(method, path, authorization(key)))


def lines(upstream: Keeper) -> list[str]:
    return [each.line.removesuffix(" HTTP/1.1") for each in upstream.requests]


def test_a_response_is_retrieved_listed_and_deleted_where_it_is_kept(client: Any, kept: Keeper) -> None:
    made = client.responses.create(model="native", input="Hello")
    assert client.responses.retrieve(made.id) == made
    assert [item.id for item in client.responses.input_items.list(made.id, limit=1, order="asc")] == [
        f"msg_{made.id}"
    ]
    client.responses.delete(made.id)

    one = f"{ALL}/{made.id}"
    assert sorted(lines(kept)) == sorted(
        [f"POST {ALL}", f"GET {one}", f"GET {one}/input_items?limit=1&order=asc", f"DELETE {one}"]
    )
    assert {each.header("authorization") for each in kept.requests} == {"Bearer upstream-credential"}
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    assert len(kept.requests) == 4  # what was deleted is not asked for


def test_what_is_kept_upstream_is_not_on_our_disk(gateway: GatewayProcess, client: Any) -> None:
    made = client.responses.create(model="native", input="Hello" * 10_000)
    client.responses.retrieve(made.id)

    sizes = [path.stat().st_size for path in (gateway.home / "state" / "responses").glob("*/*")]
    assert len(sizes) == 1
    assert sizes[0] < 1000


def test_a_background_response_is_cancelled_while_it_streams(
    gateway: GatewayProcess, client: Any, kept: Keeper
) -> None:
    kept.hold = kept.gate()
    asked = {"model": "native", "input": "Hello", "background": True, "stream": True}
    with client.responses.create(**asked) as events:
        first = next(iter(events))
        cancelled = client.responses.cancel(first.response.id)
        kept.hold.open()

    assert cancelled.status == "cancelled"


def test_a_response_is_watched_again_while_its_upstream_writes_it(client: Any, kept: Keeper) -> None:
    made = client.responses.create(model="native", input="Hello", background=True)
    kept.hold = kept.gate()
    with client.responses.retrieve(made.id, stream=True) as events:
        first = next(iter(events))
        kept.hold.open()
        rest = list(events)

    assert [event.type for event in (first, *rest)] == ["response.created", "response.completed"]
    assert lines(kept)[-1] == f"GET {ALL}/{made.id}?stream=true"


def test_an_upstreams_events_go_on_after_one(client: Any, kept: Keeper) -> None:
    made = client.responses.create(model="native", input="Hello", background=True)
    numbers = [
        [
            event.sequence_number
            for event in client.responses.retrieve(made.id, stream=True, starting_after=at)
        ]
        for at in (0, 1)
    ]

    assert numbers == [[1], []]


def test_a_watched_stream_that_breaks_off_says_so(client: Any, kept: Keeper) -> None:
    made = client.responses.create(model="native", input="Hello", background=True)
    begun = keeper.event("response.in_progress", {"id": made.id}, 5)
    kept.then(replies.stream([begun]))
    with client.responses.retrieve(made.id, stream=True, starting_after=4) as events:
        assert next(iter(events)).sequence_number == 5
        last = next(iter(events))

    assert (last.type, last.sequence_number, last.code) == ("error", 6, "upstream_protocol")


def test_what_the_upstream_refuses_is_told_in_its_words(client: Any, kept: Keeper) -> None:
    made = client.responses.create(model="native", input="Hello")
    with pytest.raises(openai.BadRequestError, match=r"Cannot cancel a synchronous response\."):
        client.responses.cancel(made.id)
    kept.responses.clear()
    with pytest.raises(openai.NotFoundError, match=f"Response with id '{made.id}' not found."):
        client.responses.retrieve(made.id)


@pytest.mark.parametrize(
    ("status", "shown", "code"),
    [
        (500, 503, "upstream_overloaded"),
        (401, 502, "upstream_credential"),
        (429, 429, "upstream_rate_limited"),
    ],
)
def test_an_upstream_that_fails_is_not_shown_to_the_client(
    gateway: GatewayProcess, client: Any, kept: Keeper, status: int, shown: int, code: str
) -> None:
    made = client.responses.create(model="native", input="Hello")
    kept.then(replies.failing(status))
    refused = gateway.get(f"{ALL}/{made.id}")

    assert (refused.status, refused.error()["code"]) == (shown, code)
    assert b"scripted" not in refused.body


@pytest.mark.parametrize(
    ("method", "below"), [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")]
)
def test_for_another_key_the_upstream_is_not_even_asked(
    gateway: GatewayProcess, client: Any, kept: Keeper, method: str, below: str
) -> None:
    made = client.responses.create(model="native", input="Hello")
    foreign = request(gateway, method, f"{ALL}/{made.id}{below}", OTHER_KEY)

    assert (foreign.status, foreign.error()["message"]) == (404, f"Response with id '{made.id}' not found.")
    assert lines(kept) == [f"POST {ALL}"]


# ── gone on from ────────────────────────────────────────────────────────────────────────────────


def test_a_request_goes_on_where_its_past_is_kept_as_it_was_written(
    gateway: GatewayProcess, kept: Keeper
) -> None:
    made = gateway.post(ALL, {"model": "native", "input": "Hello"}).json()
    body = (
        b'{ "model":"gpt-5.1","input" : "And you?", "x":1e3,"previous_response_id":"%s"}'
        % made["id"].encode()
    )
    again = gateway.post(ALL, body.replace(b"gpt-5.1", b"native"))

    assert again.json()["previous_response_id"] == made["id"]
    assert kept.requests[-1].body == body


def test_a_request_goes_to_the_deployment_that_made_its_past(
    start_gateway: StartGateway, kept: Keeper, elsewhere: Keeper
) -> None:
    gateway = start_gateway(config(native("pair", kept), native("pair", elsewhere)))
    for _ in range(10):
        made = gateway.post(ALL, {"model": "pair", "input": "Hello"}).json()
        again = gateway.post(ALL, {"model": "pair", "input": "x", "previous_response_id": made["id"]})
        assert again.status == 200, again.body
    assert kept.responses
    assert elsewhere.responses


def test_a_request_goes_on_with_another_model_of_the_same_account(
    start_gateway: StartGateway, kept: Keeper
) -> None:
    gateway = start_gateway(config(native("small", kept), native("large", kept)))
    made = gateway.post(ALL, {"model": "small", "input": "Hello"}).json()
    again = gateway.post(ALL, {"model": "large", "input": "x", "previous_response_id": made["id"]})

    assert again.json()["previous_response_id"] == made["id"]


@pytest.mark.parametrize("model", ["elsewhere", "claude"])
def test_a_request_does_not_go_on_with_who_cannot_see_its_past(
    gateway: GatewayProcess, kept: Keeper, elsewhere: Keeper, model: str
) -> None:
    made = gateway.post(ALL, {"model": "native", "input": "Hello"}).json()
    refused = gateway.post(ALL, {"model": model, "input": "x", "previous_response_id": made["id"]})

    assert (refused.status, refused.error()["param"]) == (400, "previous_response_id")
    assert f"does not serve the model `{model}`" in refused.error()["message"]
    assert elsewhere.requests == []


@pytest.mark.parametrize("name", [b"previous_response_id", rb"previous_response_\u0069d"])
def test_nobody_goes_on_from_anothers_past_however_it_is_spelt(
    gateway: GatewayProcess, kept: Keeper, name: bytes
) -> None:
    made = gateway.post(ALL, {"model": "native", "input": "Hello"}).json()
    body = b'{"model":"native","input":"x","%s":"%s"}' % (name, made["id"].encode())
    refused = gateway.post(ALL, body, OTHER_KEY)

    assert (refused.status, refused.error()["code"]) == (400, "previous_response_not_found")
    assert lines(kept) == [f"POST {ALL}"]


def test_a_request_that_has_to_be_written_anew_stays_with_its_past(client: Any, kept: Keeper) -> None:
    thinking = {"model": "claude", "input": "[[scenario:reasoning]]", "reasoning": {"effort": "low"}}
    (sealed, *_) = client.responses.create(**thinking).output
    first = client.responses.create(model="native", input="Hello")
    # Claude's thought is not for OpenAI's eyes.
    asked = [sealed.to_dict(), {"role": "user", "content": "And you?"}]
    second = client.responses.create(model="native", input=asked, previous_response_id=first.id)

    sent = kept.requests[-1].json()
    assert [each["type"] for each in sent["input"]] == ["message"]
    assert (sent["previous_response_id"], sent["store"]) == (first.id, True)
    assert client.responses.retrieve(second.id).id == second.id
    assert lines(kept)[-1] == f"GET {ALL}/{second.id}"


def test_a_past_that_the_upstream_has_lost_is_told_in_its_words(
    gateway: GatewayProcess, kept: Keeper
) -> None:
    made = gateway.post(ALL, {"model": "native", "input": "Hello"}).json()
    kept.then(replies.reply(replies.error_body("lost"), 404))
    refused = gateway.post(ALL, {"model": "native", "input": "x", "previous_response_id": made["id"]})

    assert (refused.status, refused.error()["message"]) == (404, "lost")
    assert gateway.post(ALL, {"model": "native", "input": "Hello"}).status == 200


def test_a_deployment_that_is_gone_is_told(gateway: GatewayProcess, elsewhere: Keeper) -> None:
    made = gateway.post(ALL, {"model": "native", "input": "Hello"}).json()
    gateway.write_config(config(native("another", elsewhere)))

    def refused() -> bool:
        return gateway.get(f"{ALL}/{made['id']}").status == 404

    wait_until(refused, "the new configuration is in force", timeout=20)
    look = gateway.get(f"{ALL}/{made['id']}")
    again = gateway.post(ALL, {"model": "another", "input": "x", "previous_response_id": made["id"]})
    assert "is not configured any more" in look.error()["message"]
    assert (again.status, again.error()["code"]) == (400, "previous_response_not_found")


def test_a_conversation_goes_on_from_ours_with_an_upstream_that_keeps_its_own(
    client: Any, kept: Keeper
) -> None:
    first = client.responses.create(model="claude", input="Hello")
    second = client.responses.create(model="native", input="And you?", previous_response_id=first.id)

    sent = kept.requests[-1].json()
    assert "previous_response_id" not in sent
    assert [(each["role"], each["content"][0]["text"]) for each in sent["input"]] == [
        ("user", "Hello"),
        ("assistant", first.output_text),
        ("user", "And you?"),
    ]
    assert second.previous_response_id == first.id
    # The whole conversation is ours, so it stays ours.
    assert sent["store"] is False
    assert client.responses.retrieve(second.id) == second
    assert lines(kept) == [f"POST {ALL}"]


def test_who_asks_in_so_many_words_has_its_part_kept_upstream(client: Any, kept: Keeper) -> None:
    first = client.responses.create(model="claude", input="Hello")
    again = {"model": "native", "input": "x", "previous_response_id": first.id, "store": True}
    second = client.responses.create(**again)
    client.responses.retrieve(second.id)

    assert kept.requests[0].json()["store"] is True
    assert lines(kept) == [f"POST {ALL}", f"GET {ALL}/{second.id}"]


def test_the_deployment_is_known_again_wherever_it_is_listed(
    gateway: GatewayProcess, kept: Keeper, elsewhere: Keeper
) -> None:
    made = gateway.post(ALL, {"model": "native", "input": "Hello"}).json()
    # Ids that are made from models go by the order: the other one has this one's now.
    gateway.write_config(config(native("elsewhere", elsewhere), native("renamed", kept)))

    def renamed() -> bool:
        return gateway.post(ALL, {"model": "renamed", "input": "Hello"}).status == 200

    wait_until(renamed, "the new configuration is in force", timeout=20)
    again = gateway.post(ALL, {"model": "renamed", "input": "x", "previous_response_id": made["id"]})
    assert again.json()["previous_response_id"] == made["id"]
    assert gateway.get(f"{ALL}/{made['id']}").json() == made
    assert elsewhere.requests == []


def test_a_look_at_a_response_that_the_upstream_holds_back_ends_with_its_client(
    gateway: GatewayProcess, client: Any, kept: Keeper
) -> None:
    made = client.responses.create(model="native", input="Hello")
    gate = kept.gate()

    async def held(exchange: Any) -> None:
        await exchange.read_body()
        await exchange.connection.peer_gone.wait()
        gate.open()

    kept.then(held)
    with gateway.connect() as raw:
        raw.send(request_bytes("GET", f"{ALL}/{made.id}", authorization(MASTER_KEY)))
        kept.wait_for_requests(2)

    asked = kept.requests[-1].connection
    assert asked.peer_closed.wait(10)
