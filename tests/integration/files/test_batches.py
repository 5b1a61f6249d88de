"""Batches run where their file lies; each request in it is checked and rewritten as if it came by itself."""

import json
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.forms import field, file, form, form_type, part_head
from tests.gateway_process import GatewayProcess, authorization
from tests.integration.files.room import (
    ALICE,
    BOB,
    CAROL,
    MEGABYTE,
    ask,
    batch,
    bring,
    brought,
    config,
    line,
    lines,
    sent_parts,
    targets,
)
from tests.raw_http import Response, request_bytes
from tests.upstreams import replies
from tests.upstreams.cabinet import BATCHES, FILES, Cabinet

IBAN = "My IBAN is GB82 WEST 1234 5698 7654 32"


def requests(gateway: GatewayProcess, *each: str, **options: Any) -> Response:
    """Upload a file of requests."""
    return bring(gateway, lines(*each), purpose="batch", **options)


def begin(gateway: GatewayProcess, *each: str, **more: Any) -> dict[str, Any]:
    """Make a batch of these requests."""
    file_id = requests(gateway, *each).json()["id"]
    response = gateway.post(BATCHES, batch(file_id, **more), ALICE)
    assert response.status == 200, response.body
    return dict(response.json())


# ── the file of requests ────────────────────────────────────────────────────────────────────────


def test_the_model_of_each_request_is_rewritten_and_nothing_else(
    gateway: GatewayProcess, kept: Cabinet
) -> None:
    odd = '{ "body" : {"x":[1, 2],"messages":[],"mod\\u0065l": "other"} , "url":"/v1/chat/completions"}\r\n'
    given = [line(), odd, "\n", line("plain", seed=1).rstrip("\n")]

    assert requests(gateway, *given).status == 200

    expected = lines(*given).replace(b'"plain"', b'"gpt-routed"').replace(b'"other"', b'"gpt-other"')
    request = kept.only_request()
    assert sent_parts(request) == [field("purpose", "batch"), file(expected, filename="a.jsonl")]
    assert request.header("content-length") == str(len(request.body))


def test_a_large_file_of_requests_passes_as_it_comes(
    start_gateway: StartGateway, settings: dict[str, Any], kept: Cabinet
) -> None:
    settings["router_settings"]["timeout"] = 120  # the upstream is a slow reader of chunks
    gateway = start_gateway(settings)
    requests(gateway, line())
    before = gateway.resident_bytes()
    content = lines(line(text="a" * 10_000)) * 2000

    key = brought(gateway, content, purpose="batch", model="plain")

    assert kept.contents[key] == content.replace(b'"plain"', b'"gpt-routed"')
    assert kept.requests[-1].header("transfer-encoding") == "chunked"
    assert gateway.resident_bytes() - before < 10 * MEGABYTE


def test_a_file_of_requests_that_comes_byte_by_byte_is_the_same(
    gateway: GatewayProcess, kept: Cabinet
) -> None:
    content = lines(line(), line("other"))
    body = form([field("model", "plain"), field("purpose", "batch"), file(content)])
    framing = ("Content-Length", str(len(body)))
    with gateway.connect() as client:
        client.send(request_bytes("POST", FILES, [*authorization(ALICE), form_type(), framing]))
        for byte in body:
            client.send(bytes([byte]))
        key = client.read_response().json()["id"]

    expected = content.replace(b'"plain"', b'"gpt-routed"').replace(b'"other"', b'"gpt-other"')
    assert kept.contents[key] == expected


def test_names_of_a_keys_own_are_understood(
    start_gateway: StartGateway, settings: dict[str, Any], kept: Cabinet
) -> None:
    settings["keys"][0]["model_map"] = {"mine": "plain"}
    gateway = start_gateway(settings)

    key = requests(gateway, line("mine")).json()["id"]

    assert kept.contents[key] == lines(line("gpt-routed"))


REFUSED = {
    "no JSON": ("hello\n", 400, "JSON object"),
    "half an object": (line()[:-5] + "\n", 400, "not valid JSON"),
    "no object": ("[1]\n", 400, "JSON object"),
    "no url": ('{"body":{"model":"plain"}}\n', 400, "`url` is missing"),
    "no body": ('{"url":"/v1/chat/completions"}\n', 400, "`body` is missing"),
    "a body that is no object": ('{"url":"/v1/chat/completions","body":"x"}\n', 400, "JSON object"),
    "no model": ('{"url":"/v1/chat/completions","body":{}}\n', 400, "`model` is missing"),
    "two bodies": (line().replace("{", '{"body":{},', 1), 400, "twice"),
    "two models": (line().replace('"model"', '"model":"far","model"'), 400, "twice"),
    "a model of another key's": (line("far"), 403, "may not use"),
    "no such model": (line("nobody"), 404, "does not exist"),
    "an endpoint without batches": (line(url="/v1/files"), 400, "are not served"),
    "another endpoint": (line(url="/v1/embeddings"), 400, "not that of the lines before"),
    "another's response": (line(previous_response_id="resp_1"), 400, "previous_response_id"),
    "another's conversation": (line(conversation="conv_1"), 400, "conversation"),
    "a hidden line": (line().replace('"method"', '"x":\r' + line().strip() + '\r,"method"'), 400, "carriage"),
    "too long a line": (line(text="a" * 1_100_000), 413, "longer than"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("large", [False, True], ids=["held", "passing"])
def test_a_request_that_may_not_pass_is_told_by_its_line(
    gateway: GatewayProcess, kept: Cabinet, name: str, large: bool
) -> None:
    bad, status, what = REFUSED[name]
    good = [line()] * 2 + [line(text="a" * 90_000)] * (30 if large else 0)

    response = requests(gateway, *good, bad, line(), model="plain")

    assert response.status == status, response.body
    assert f"Line {len(good) + 1} of the file: " in response.error()["message"]
    assert what in response.error()["message"]
    assert not any(request.complete.is_set() for request in kept.requests)
    assert ask(gateway, "GET", FILES).json()["data"] == []


def test_a_request_for_a_model_elsewhere_is_refused(
    gateway: GatewayProcess, kept: Cabinet, elsewhere: Cabinet
) -> None:
    response = requests(gateway, line(), line("far"), model="plain", key=CAROL)

    assert (response.status, response.error()["param"]) == (400, "file")
    assert "Line 2 of the file: The model `far` is not at the provider" in response.error()["message"]
    assert not kept.requests and not elsewhere.requests


@pytest.mark.parametrize("large", [False, True], ids=["held", "passing"])
def test_personal_data_in_a_request_does_not_leave(
    start_gateway: StartGateway, kept: Cabinet, elsewhere: Cabinet, large: bool
) -> None:
    gateway = start_gateway(config(kept, elsewhere, pii={"mode": "block"}))
    good = [line()] + [line(text="a" * 90_000)] * (30 if large else 0)

    response = requests(gateway, *good, line(text=IBAN), model="plain")

    assert (response.status, response.error()["code"]) == (400, "content_filter")
    assert f"Line {len(good) + 1} of the file" in response.error()["message"]
    assert IBAN not in response.error()["message"]
    assert not any(request.complete.is_set() for request in kept.requests)
    assert requests(gateway, *good).status == 200


def test_a_file_that_was_not_searched_runs_no_more_once_it_has_to_be(
    start_gateway: StartGateway, settings: dict[str, Any], kept: Cabinet
) -> None:
    gateway = start_gateway(settings)
    key = requests(gateway, line(text=IBAN)).json()["id"]
    gateway.stop()
    gateway.write_config({**settings, "pii": {"mode": "block"}})
    gateway.start()

    response = gateway.post(BATCHES, batch(key), ALICE)

    assert (response.status, response.error()["code"]) == (400, "content_filter")
    assert len(kept.requests) == 1


def test_a_client_that_leaves_midway_leaves_no_file(gateway: GatewayProcess, kept: Cabinet) -> None:
    content = lines(line(text="a" * 10_000)) * 100
    body = form([field("model", "plain"), field("purpose", "batch"), file(content)])
    framing = ("Content-Length", str(len(body)))
    with gateway.connect() as client:
        client.send(request_bytes("POST", FILES, [*authorization(ALICE), form_type(), framing]))
        client.send(body[:500_000])
        request = kept.wait_for_requests(1)[0]

    assert request.connection.peer_closed.wait(10)
    assert not request.complete.is_set()


# ── the batch ───────────────────────────────────────────────────────────────────────────────────


def test_a_batch_is_made_where_its_file_lies(
    gateway: GatewayProcess, kept: Cabinet, elsewhere: Cabinet
) -> None:
    key = requests(gateway, line("far"), model="far", key=CAROL).json()["id"]

    asked = {"model": "far", **batch(key, metadata={"job": "nightly"})}
    made = gateway.post(BATCHES, asked, CAROL).json()

    assert elsewhere.requests[-1].json() == batch(key, metadata={"job": "nightly"})
    assert elsewhere.requests[-1].header("content-type") == "application/json"
    assert ask(gateway, "GET", f"{BATCHES}/{made['id']}", CAROL).json() == made
    assert not kept.requests


def test_a_batch_is_retrieved_cancelled_and_listed(gateway: GatewayProcess, kept: Cabinet) -> None:
    first, second = begin(gateway, line()), begin(gateway, line())
    one = f"{BATCHES}/{first['id']}"

    assert ask(gateway, "GET", one).json() == first
    cancelled = ask(gateway, "POST", f"{one}/cancel").json()
    assert cancelled == {**first, "status": "cancelling"}
    listed = ask(gateway, "GET", BATCHES).json()
    assert listed["data"] == [second, cancelled]
    assert targets(kept)[-2:] == [f"GET {one}", f"POST {one}/cancel"]


def test_the_files_of_results_are_their_owners(gateway: GatewayProcess, kept: Cabinet) -> None:
    made = begin(gateway, line())
    output, errors = kept.keep("batch_output", b"results"), kept.keep("batch_output", b"errors")
    assert ask(gateway, "GET", f"{FILES}/{output}").status == 404
    kept.batches[made["id"]] |= {"status": "completed", "output_file_id": output, "error_file_id": errors}

    ask(gateway, "GET", f"{BATCHES}/{made['id']}")

    assert ask(gateway, "GET", f"{FILES}/{output}/content").body == b"results"
    assert ask(gateway, "GET", f"{FILES}/{errors}/content").body == b"errors"
    listed = ask(gateway, "GET", f"{FILES}?purpose=batch_output").json()["data"]
    assert listed == [kept.files[errors], kept.files[output]]
    for key in (output, errors):
        assert ask(gateway, "GET", f"{FILES}/{key}/content", BOB).status == 404
    # What a model has written was never checked as requests.
    assert gateway.post(BATCHES, batch(output), ALICE).status == 400


def test_a_result_that_its_provider_says_nothing_of_is_fetched_all_the_same(
    gateway: GatewayProcess, kept: Cabinet
) -> None:
    made = begin(gateway, line())
    output = kept.keep("batch_output", b"results")
    kept.batches[made["id"]]["output_file_id"] = output
    kept.then(replies.reply(json.dumps(kept.batches[made["id"]]).encode()), replies.failing(500))

    assert ask(gateway, "GET", f"{BATCHES}/{made['id']}").status == 200
    assert ask(gateway, "GET", f"{FILES}/{output}/content").body == b"results"


def test_another_key_is_told_what_is_told_of_none(gateway: GatewayProcess, kept: Cabinet) -> None:
    made = begin(gateway, line())
    asked = len(kept.requests)

    for method, below in [("GET", ""), ("POST", "/cancel")]:
        answers = {
            ask(gateway, method, f"{BATCHES}/{key}{below}", BOB).body.replace(key.encode(), b"ID")
            for key in (made["id"], "batch_none")
        }
        assert len(answers) == 1
        assert ask(gateway, method, f"{BATCHES}/{made['id']}{below}", BOB).status == 404
    assert ask(gateway, "GET", BATCHES, BOB).json()["data"] == []
    foreign = gateway.post(BATCHES, batch(made["input_file_id"]), BOB)
    assert (foreign.status, foreign.error()["param"]) == (404, "input_file_id")
    assert foreign.error()["message"] == f"No such File object: {made['input_file_id']}"
    assert len(kept.requests) == asked


def test_whose_a_batch_is_survives_a_restart(gateway: GatewayProcess) -> None:
    made = begin(gateway, line())
    gateway.stop()
    gateway.start()

    assert ask(gateway, "GET", f"{BATCHES}/{made['id']}").json() == made
    assert ask(gateway, "GET", f"{BATCHES}/{made['id']}", BOB).status == 404
    again = gateway.post(BATCHES, batch(made["input_file_id"]), ALICE)
    assert again.status == 200


@pytest.mark.parametrize("purpose", ["user_data", "batch_output", "fine-tune"])
def test_a_file_of_another_purpose_feeds_no_batch(
    gateway: GatewayProcess, kept: Cabinet, purpose: str
) -> None:
    key = brought(gateway, lines(line("far")), purpose=purpose)

    response = gateway.post(BATCHES, batch(key), ALICE)

    assert (response.status, response.error()["param"]) == (400, "input_file_id")
    assert len(kept.requests) == 1


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"endpoint": "/v1/embeddings"}, "endpoint"),
        ({"endpoint": "/v1/files"}, "endpoint"),
        ({"endpoint": None}, "endpoint"),
        ({"input_file_id": 3}, "input_file_id"),
        ({"input_blob": "https://elsewhere/requests.jsonl"}, "input_blob"),
        ({"output_file_id": "file-of-another"}, "output_file_id"),
    ],
)
def test_a_batch_that_cannot_be_is_refused(
    gateway: GatewayProcess, kept: Cabinet, more: dict[str, Any], param: str
) -> None:
    key = requests(gateway, line()).json()["id"]

    response = gateway.post(BATCHES, {**batch(key), **more}, ALICE)

    assert (response.status, response.error()["param"]) == (400, param)
    assert len(kept.requests) == 1


def test_a_model_that_was_taken_from_the_key_runs_no_more(
    start_gateway: StartGateway, settings: dict[str, Any], kept: Cabinet
) -> None:
    gateway = start_gateway(settings)
    key = requests(gateway, line("other")).json()["id"]
    gateway.stop()
    settings["keys"][0]["models"] = ["plain"]
    gateway.write_config(settings)
    gateway.start()

    response = gateway.post(BATCHES, batch(key), ALICE)

    assert (response.status, response.error()["code"]) == (403, "permission_denied")
    assert len(kept.requests) == 1


def test_personal_data_in_the_labels_of_a_batch_does_not_leave(
    start_gateway: StartGateway, kept: Cabinet, elsewhere: Cabinet
) -> None:
    gateway = start_gateway(config(kept, elsewhere, pii={"mode": "block"}))
    key = requests(gateway, line()).json()["id"]

    response = gateway.post(BATCHES, batch(key, metadata={"who": IBAN}), ALICE)

    assert (response.status, response.error()["code"]) == (400, "content_filter")
    assert len(kept.requests) == 1


def test_what_the_provider_refuses_is_told_in_its_words(gateway: GatewayProcess, kept: Cabinet) -> None:
    key = requests(gateway, line()).json()["id"]
    refusal = replies.error_body("Too many batches.", "token_limit_exceeded")
    kept.then(replies.reply(refusal, 400))

    response = gateway.post(BATCHES, batch(key), ALICE)

    assert (response.status, response.body) == (400, refusal)
    assert ask(gateway, "GET", BATCHES).json()["data"] == []


def test_a_deployment_that_is_gone_is_told_of(start_gateway: StartGateway, settings: dict[str, Any]) -> None:
    gateway = start_gateway(settings)
    key = requests(gateway, line()).json()["id"]
    gateway.stop()
    gateway.write_config({**settings, "model_list": settings["model_list"][2:]})
    gateway.start()

    response = ask(gateway, "GET", f"{FILES}/{key}")

    assert response.status == 404
    assert "not configured any more" in response.error()["message"]


def test_a_head_alone_is_no_file(gateway: GatewayProcess, kept: Cabinet) -> None:
    """The border of the next part ends the last line."""
    body = (
        (part_head("purpose", None) + b"batch\r\n")
        + (part_head("file", "a.jsonl") + b"\r\n")
        + form([field("model", "plain")])
    )

    assert gateway.post(FILES, body, ALICE, [form_type()]).status == 200
    assert sent_parts(kept.only_request())[1] == file(b"", filename="a.jsonl")
