"""Files lie at a provider's account, pass as they come, and are seen by the key that brought them alone."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.forms import field, file, form, form_type, part_head
from tests.gateway_process import GatewayProcess, authorization, wait_until
from tests.integration.files.room import (
    ALICE,
    BOB,
    CAROL,
    MEGABYTE,
    ask,
    bring,
    brought,
    config,
    sent_parts,
    targets,
)
from tests.raw_http import request_bytes
from tests.upstreams import replies
from tests.upstreams.cabinet import FILES, Cabinet

CONTENT = bytes(range(256)) * 1000


def head_of_upload(length: int | None, key: str = ALICE) -> bytes:
    framing = ("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length))
    return request_bytes("POST", FILES, [*authorization(key), form_type(), framing])


# ── one file, from its coming to its going ──────────────────────────────────────────────────────


def test_a_file_is_brought_retrieved_fetched_and_deleted(gateway: GatewayProcess, kept: Cabinet) -> None:
    made = bring(gateway, CONTENT).json()
    one = f"{FILES}/{made['id']}"

    assert ask(gateway, "GET", one).json() == made
    content = ask(gateway, "GET", f"{one}/content")
    assert (content.body, content.header("content-type")) == (CONTENT, "application/octet-stream")
    assert ask(gateway, "DELETE", one).json()["deleted"] is True
    assert ask(gateway, "GET", one).status == 404

    assert targets(kept) == [f"POST {FILES}", f"GET {one}", f"GET {one}/content", f"DELETE {one}"]
    assert {each.header("authorization") for each in kept.requests} == {"Bearer upstream-credential"}


def test_a_form_passes_without_the_field_for_the_gateway(gateway: GatewayProcess, kept: Cabinet) -> None:
    parts = [
        field("purpose", "user_data"),
        field("model", "plain"),
        field("expires_after[anchor]", "created_at"),
    ]
    body = form([*parts, file(CONTENT)])

    response = gateway.post(FILES, body, ALICE, [form_type()])

    assert response.status == 200
    request = kept.only_request()
    assert sent_parts(request) == [parts[0], parts[2], file(CONTENT)]
    assert request.header("content-length") == str(len(request.body))


def test_a_form_may_bring_its_file_first(gateway: GatewayProcess, kept: Cabinet) -> None:
    parts = [file(CONTENT), field("purpose", "user_data"), field("model", "plain")]

    assert gateway.post(FILES, form(parts), ALICE, [form_type()]).status == 200
    assert sent_parts(kept.only_request()) == parts[:2]


def test_a_file_passes_before_all_of_it_has_come(gateway: GatewayProcess, kept: Cabinet) -> None:
    body = form([field("model", "plain"), field("purpose", "user_data"), file(CONTENT)])
    with gateway.connect() as client:
        client.send(head_of_upload(len(body)) + body[:100_000])
        connection = kept.wait_for_requests(1)[0].connection
        wait_until(lambda: len(connection.received) > 90_000, "the first part of the file has passed", 10)
        client.send(body[100_000:])
        assert client.read_response().status == 200

    assert sent_parts(kept.only_request()) == [field("purpose", "user_data"), file(CONTENT)]


def test_a_large_file_passes_without_staying(gateway: GatewayProcess, kept: Cabinet) -> None:
    bring(gateway, CONTENT)
    before = gateway.resident_bytes()

    key = brought(gateway, bytes(40 * MEGABYTE), model="plain")

    assert ask(gateway, "GET", f"{FILES}/{key}/content").body == bytes(40 * MEGABYTE)
    assert gateway.resident_bytes() - before < 15 * MEGABYTE


def test_files_are_listed_the_newest_first_and_page_by_page(gateway: GatewayProcess, kept: Cabinet) -> None:
    made = [brought(gateway, b"x", purpose=purpose) for purpose in ("evals", "user_data", "evals")]
    kept.keep("evals", b"somebody else's")

    page = ask(gateway, "GET", f"{FILES}?limit=2").json()
    assert [each["id"] for each in page["data"]] == made[:0:-1]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (made[2], made[1], True)
    rest = ask(gateway, "GET", f"{FILES}?limit=2&after={made[1]}").json()
    assert ([each["id"] for each in rest["data"]], rest["has_more"]) == (made[:1], False)
    evals = ask(gateway, "GET", f"{FILES}?purpose=evals&order=asc").json()
    assert [each["id"] for each in evals["data"]] == [made[0], made[2]]
    assert all(method.startswith("POST") for method in targets(kept))


@pytest.mark.parametrize(
    ("query", "param"), [("limit=0", "limit"), ("order=up", "order"), ("after=file-none", "after")]
)
def test_a_page_that_cannot_be_is_refused(gateway: GatewayProcess, query: str, param: str) -> None:
    response = ask(gateway, "GET", f"{FILES}?{query}")

    assert (response.status, response.error()["param"]) == (400, param)


# ── whose it is ─────────────────────────────────────────────────────────────────────────────────


def test_another_key_is_told_what_is_told_of_none(gateway: GatewayProcess, kept: Cabinet) -> None:
    mine = brought(gateway, CONTENT)
    foreign = kept.keep("user_data", b"not through us")
    asked = len(kept.requests)

    for method, below in [("GET", ""), ("GET", "/content"), ("DELETE", "")]:
        answers = {
            ask(gateway, method, f"{FILES}/{key}{below}", by).body.replace(key.encode(), b"ID")
            for key, by in [(mine, BOB), (foreign, ALICE), ("file-none", ALICE)]
        }
        assert len(answers) == 1
        assert ask(gateway, method, f"{FILES}/{mine}{below}", BOB).status == 404
    assert ask(gateway, "GET", FILES, BOB).json()["data"] == []
    assert len(kept.requests) == asked
    assert ask(gateway, "GET", f"{FILES}/{mine}").status == 200


def test_without_a_key_there_is_nothing(gateway: GatewayProcess, kept: Cabinet) -> None:
    mine = brought(gateway, CONTENT)

    for method, path in [("GET", FILES), ("GET", f"{FILES}/{mine}"), ("DELETE", f"{FILES}/{mine}")]:
        assert ask(gateway, method, path, "unknown-key-0123456789").status == 401
    with gateway.connect() as client:
        client.send(head_of_upload(50 * MEGABYTE, "unknown-key-0123456789"))
        assert client.read_response().status == 401
    assert len(kept.requests) == 1


def test_whose_a_file_is_survives_a_restart(gateway: GatewayProcess) -> None:
    made = bring(gateway, CONTENT).json()
    gateway.stop()
    gateway.start()

    assert ask(gateway, "GET", f"{FILES}/{made['id']}").json() == made
    assert ask(gateway, "GET", FILES).json()["data"] == [made]
    assert ask(gateway, "GET", f"{FILES}/{made['id']}", BOB).status == 404


def test_nothing_of_a_file_lies_readable_on_our_disk(gateway: GatewayProcess) -> None:
    made = brought(gateway, CONTENT)

    (path,) = (gateway.home / "state" / "files").glob("*/*")
    assert path.stat().st_mode & 0o777 == 0o600
    assert made.encode() not in path.read_bytes()


def test_what_is_gone_at_the_provider_is_forgotten(gateway: GatewayProcess, kept: Cabinet) -> None:
    key = brought(gateway, CONTENT)
    kept.files.clear()

    assert ask(gateway, "GET", f"{FILES}/{key}").error()["message"] == f"No such File object: {key}"
    assert ask(gateway, "GET", FILES).json()["data"] == []


# ── where it goes ───────────────────────────────────────────────────────────────────────────────


def test_a_key_with_one_account_need_not_name_it(gateway: GatewayProcess, kept: Cabinet) -> None:
    assert bring(gateway, CONTENT).header("x-llmgw-deployment") == "openai/gpt-routed"
    assert len(kept.requests) == 1


def test_a_key_with_more_accounts_is_told_how_to_name_one(
    gateway: GatewayProcess, kept: Cabinet, elsewhere: Cabinet
) -> None:
    response = bring(gateway, CONTENT, key=CAROL)

    assert response.status == 400
    assert "x-llmgw-provider" in response.error()["message"]
    assert "openai/gpt-far" in response.error()["message"]
    assert not kept.requests and not elsewhere.requests


@pytest.mark.parametrize("named", ["model", "query", "header"])
def test_a_file_goes_where_it_is_told(
    gateway: GatewayProcess, kept: Cabinet, elsewhere: Cabinet, named: str
) -> None:
    fields = [field("purpose", "user_data")] + [field("model", "far")] * (named == "model")
    headers = [form_type()] + [("x-llmgw-provider", "openai/gpt-far")] * (named == "header")
    query = "?provider=openai%2Fgpt-far" if named == "query" else ""

    response = gateway.post(FILES + query, form([*fields, file(CONTENT)]), CAROL, headers)

    assert (response.status, response.header("x-llmgw-deployment")) == (200, "openai/gpt-far")
    assert not kept.requests
    assert ask(gateway, "GET", f"{FILES}/{response.json()['id']}/content", CAROL).body == CONTENT


@pytest.mark.parametrize(("model", "status"), [("far", 403), ("nobody", 404)])
def test_a_model_that_a_key_may_not_use_takes_no_files(
    gateway: GatewayProcess, elsewhere: Cabinet, model: str, status: int
) -> None:
    response = bring(gateway, CONTENT, model=model)

    assert (response.status, response.error()["param"]) == (status, "model")
    assert not elsewhere.requests


def test_a_provider_out_of_a_keys_reach_takes_no_files(gateway: GatewayProcess, elsewhere: Cabinet) -> None:
    response = bring(gateway, CONTENT, path=f"{FILES}?provider=openai%2Fgpt-far")

    assert (response.status, response.error()["param"]) == (400, "provider")
    assert not elsewhere.requests


# ── what may go wrong ───────────────────────────────────────────────────────────────────────────


def test_what_the_provider_refuses_is_told_in_its_words(gateway: GatewayProcess, kept: Cabinet) -> None:
    refusal = replies.error_body("Invalid purpose.", "invalid_purpose")
    kept.then(replies.reply(refusal, 400))

    response = bring(gateway, CONTENT)

    assert (response.status, response.body) == (400, refusal)
    assert ask(gateway, "GET", FILES).json()["data"] == []


@pytest.mark.parametrize(("status", "code"), [(500, "upstream_overloaded"), (401, "upstream_credential")])
def test_a_provider_that_fails_is_told_of(
    gateway: GatewayProcess, kept: Cabinet, status: int, code: str
) -> None:
    kept.then(replies.failing(status))

    assert bring(gateway, CONTENT).error()["code"] == code


def test_a_client_that_leaves_ends_its_upload(gateway: GatewayProcess, kept: Cabinet) -> None:
    body = form([field("model", "plain"), field("purpose", "user_data"), file(CONTENT)])
    with gateway.connect() as client:
        client.send(head_of_upload(len(body)) + body[:100_000])
        request = kept.wait_for_requests(1)[0]

    assert request.connection.peer_closed.wait(10)
    assert not request.complete.is_set()
    assert ask(gateway, "GET", FILES).json()["data"] == []
    wanted = ("llmgw_requests_total", 'endpoint="files"', 'key_alias="alice"', 'status_code="400"')
    recorded = [name for name in gateway.metrics() if all(part in name for part in wanted)]
    assert len(recorded) == 1


def test_a_client_that_leaves_ends_its_download(gateway: GatewayProcess, kept: Cabinet) -> None:
    key = brought(gateway, CONTENT)
    gate = kept.gate()
    kept.then(replies.stream([b"first", b"second"], gate=gate))
    with gateway.connect() as client:
        client.send(request_bytes("GET", f"{FILES}/{key}/content", authorization(ALICE)))
        client.read_until(b"first")
        connection = kept.wait_for_requests(2)[1].connection

    assert connection.peer_closed.wait(10)


def test_a_file_over_the_limit_is_refused(
    start_gateway: StartGateway, settings: dict[str, Any], kept: Cabinet
) -> None:
    settings["server"] = {**settings["server"], "max_upload_bytes": 2 * MEGABYTE}
    gateway = start_gateway(settings)
    with gateway.connect() as client:
        client.send(head_of_upload(2 * MEGABYTE + 1))
        assert client.read_response().error()["code"] == "request_too_large"
    assert not kept.requests

    with gateway.connect() as client:
        fields = part_head("model", None) + b"plain\r\n" + part_head("purpose", None) + b"evals\r\n"
        client.send(head_of_upload(None) + replies.chunk(fields + part_head("file", "a.bin")))
        for _ in range(21):
            client.send(replies.chunk(bytes(100_000)))
        response = client.read_response()

    assert (response.status, response.error()["code"]) == (413, "request_too_large")
    request = kept.wait_for_requests(1)[0]
    assert request.connection.peer_closed.wait(10)
    assert not request.complete.is_set()


WRONG: dict[str, Callable[[], bytes]] = {
    "no purpose": lambda: form([file(CONTENT)]),
    "no end": lambda: form([field("purpose", "evals"), file(CONTENT)])[:-8],
    "two files": lambda: form([field("purpose", "evals"), file(b"a"), file(b"b")]),
    "two purposes": lambda: form([field("purpose", "evals"), field("purpose", "batch"), file(b"a")]),
    "a purpose that is almost batch": lambda: form([field("purpose", "Batch "), file(b"a")]),
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_form_is_refused(gateway: GatewayProcess, kept: Cabinet, name: str) -> None:
    response = gateway.post(FILES, WRONG[name](), ALICE, [form_type()])

    assert (response.status, response.error()["code"]) == (400, "invalid_request")
    assert not any(request.complete.is_set() for request in kept.requests)


def test_a_purpose_behind_a_large_file_is_too_late(
    start_gateway: StartGateway, settings: dict[str, Any], kept: Cabinet
) -> None:
    settings["server"] = {**settings["server"], "max_held_bytes": 100_000}
    gateway = start_gateway(settings)

    response = gateway.post(FILES, form([file(CONTENT), field("purpose", "evals")]), ALICE, [form_type()])

    assert (response.status, response.error()["param"]) == (413, "purpose")
    assert not kept.requests


def test_a_request_for_a_file_counts(start_gateway: StartGateway, kept: Cabinet, elsewhere: Cabinet) -> None:
    settings = config(kept, elsewhere)
    settings["keys"][0]["rpm_limit"] = 2
    gateway = start_gateway(settings)

    first, second = bring(gateway, b"x"), ask(gateway, "GET", FILES)
    third = ask(gateway, "GET", FILES)

    assert first.header("x-ratelimit-remaining-requests") == "1"
    assert (second.status, third.status) == (200, 429)
    assert third.error()["code"] == "rate_limit_exceeded"


def test_files_may_be_switched_off(start_gateway: StartGateway, kept: Cabinet, elsewhere: Cabinet) -> None:
    gateway = start_gateway(config(kept, elsewhere, files={"keep": 0}))

    assert bring(gateway, CONTENT).error()["code"] == "unsupported"
    assert ask(gateway, "GET", FILES).status == 400
    assert not kept.requests


def test_an_upload_ends_well_while_the_gateway_drains(
    start_gateway: StartGateway, settings: dict[str, Any], kept: Cabinet
) -> None:
    gateway = start_gateway(settings)
    body = form([field("model", "plain"), field("purpose", "user_data"), file(CONTENT)])
    with gateway.connect() as client:
        client.send(head_of_upload(len(body)) + body[:100_000])
        kept.wait_for_requests(1)
        gateway.signal(signal.SIGTERM)
        gateway.wait_for_drain()
        client.send(body[100_000:])
        response = client.read_response()

    assert (response.status, response.header("connection")) == (200, "close")
    assert gateway.wait() == 0
