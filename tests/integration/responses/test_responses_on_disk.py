"""Stored responses as files: sealed, bounded, gone in time, and no harm if the disk fails."""

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.gateway_process import GatewayProcess, post_bytes, wait_until
from tests.integration.responses.room import (
    OTHER_KEY,
    Upstreams,
    make,
    request,
    sdk,
    status_of,
    stored_files,
)


def test_the_disk_says_nothing_of_what_was_said(storing: GatewayProcess, client: Any) -> None:
    made = client.responses.create(model="claude", input="A-word-that-nobody-says")
    client.responses.retrieve(made.id)
    content = b"".join(path.read_bytes() for path in stored_files(storing))

    assert content
    for part in (b"A-word-that", b"Hello there", made.id.encode(), b"claude"):
        assert part not in content
    assert {stat.S_IMODE(path.stat().st_mode) for path in stored_files(storing)} == {0o600}


def test_responses_survive_a_restart(own: GatewayProcess) -> None:
    made = make(own)
    own.stop()
    own.start()

    assert own.get(f"/v1/responses/{made['id']}").json() == made


def test_a_damaged_file_is_as_none_and_is_logged(own: GatewayProcess) -> None:
    made, whole = make(own), make(own)
    assert status_of(own, made) == 200
    (first,) = [path for path in stored_files(own) if status_without(own, path, made) == 404]
    data = first.read_bytes()

    for damaged in (data[: len(data) // 2], b"", data[:-1] + bytes([data[-1] ^ 1]), os.urandom(100)):
        first.write_bytes(damaged)
        assert status_of(own, made) == 404
    assert status_of(own, whole) == 200
    assert own.log().count("a stored response cannot be read") == 4
    assert own.metrics()["llmgw_stored_responses_damaged_total"] == 4


def status_without(gateway: GatewayProcess, path: Path, made: dict[str, Any]) -> int:
    """What is answered while this file is not there."""
    aside = path.with_suffix(".aside")
    path.rename(aside)
    try:
        return status_of(gateway, made)
    finally:
        aside.rename(path)


def test_what_cannot_be_stored_is_answered_all_the_same(
    own: GatewayProcess,
) -> None:
    # Where the folder should be there is a file: also for root nothing can be written below it.
    (own.home / "state" / "responses").write_text("")
    made = make(own)

    assert status_of(own, made) == 404
    assert "a response was not stored" in own.log()
    assert own.metrics()['llmgw_stored_responses_total{result="lost"}'] == 1


def test_a_full_disk_costs_no_reply_and_heals(own: GatewayProcess) -> None:
    folder = own.home / "state" / "responses"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk takes root")
    try:
        made = [make(own) for _ in range(40)]
        statuses = [status_of(own, each) for each in made]
        assert {200, 404} == set(statuses)
        assert statuses[-1] == 404
        for each, status in zip(made, statuses, strict=True):
            if status == 200:
                assert request(own, "DELETE", f"/v1/responses/{each['id']}").status == 200
        assert status_of(own, make(own)) == 200
    finally:
        own.stop()
        subprocess.run(["umount", str(folder)], check=True)


def test_a_response_is_kept_for_its_time(start_gateway: StartGateway, upstreams: Upstreams) -> None:
    gateway = start_gateway(upstreams.config(responses={"keep": 2}))
    made = make(gateway)

    assert status_of(gateway, made) == 200
    wait_until(lambda: status_of(gateway, made) == 404, "its time is over", timeout=10)
    again = gateway.post(
        "/v1/responses", {"model": "claude", "input": "x", "previous_response_id": made["id"]}
    )
    assert again.error()["code"] == "previous_response_not_found"


def test_the_oldest_go_when_there_are_too_many(start_gateway: StartGateway, upstreams: Upstreams) -> None:
    gateway = start_gateway(upstreams.config(responses={"max_bytes": 40_960}))
    made = [make(gateway) for _ in range(15)]

    wait_until(lambda: status_of(gateway, made[0]) == 404, "the oldest is gone", timeout=10)
    assert status_of(gateway, made[-1]) == 200
    assert sum(path.stat().st_size for path in stored_files(gateway)) <= 40_960


def test_one_key_cannot_push_out_what_another_has_stored(
    start_gateway: StartGateway, upstreams: Upstreams
) -> None:
    gateway = start_gateway(upstreams.config(responses={"max_bytes": 40_960}))
    with sdk(gateway, OTHER_KEY) as other:
        quiet = other.responses.create(model="claude", input="Hello")
        loud = [make(gateway) for _ in range(30)]
        wait_until(lambda: status_of(gateway, loud[0]) == 404, "the oldest is gone", timeout=10)

        assert other.responses.retrieve(quiet.id) == quiet
    assert status_of(gateway, loud[-1]) == 200


def test_nothing_is_stored_where_storing_is_off(start_gateway: StartGateway, upstreams: Upstreams) -> None:
    gateway = start_gateway(upstreams.config(responses={"keep": 0}))
    made = make(gateway)
    body = {"model": "claude", "input": "x", "previous_response_id": made["id"]}
    again = gateway.post("/v1/responses", body)

    assert status_of(gateway, made) == 404
    assert (again.status, again.error()["param"]) == (400, "previous_response_id")
    assert stored_files(gateway) == []


def test_what_was_stored_is_removed_once_storing_is_off(own: GatewayProcess, upstreams: Upstreams) -> None:
    made = make(own)
    assert status_of(own, made) == 200
    own.stop()
    own.write_config(upstreams.config(responses={"keep": 0}))
    own.start()

    wait_until(lambda: stored_files(own) == [], "the files are removed", timeout=10)


# ── streams and the cache ───────────────────────────────────────────────────────────────────────


def id_in(events: bytes) -> str:
    data = events.split(b"data: ", 1)[1].split(b"\n", 1)[0]
    found: str = json.loads(data)["response"]["id"]
    return found


def test_a_stream_that_breaks_off_is_not_stored(storing: GatewayProcess) -> None:
    body = {"model": "claude", "input": "[[scenario:cut_mid_stream]]", "stream": True}
    reply = storing.post("/v1/responses", body)

    assert b"response.completed" not in reply.body
    assert storing.get(f"/v1/responses/{id_in(reply.body)}").status == 404


def test_a_client_that_leaves_gets_nothing_stored(start_gateway: StartGateway, upstreams: Upstreams) -> None:
    gateway = start_gateway(upstreams.config())
    body = {"model": "claude", "input": "[[scenario:long]][[cut:1]]", "stream": True}
    with gateway.connect() as client:
        client.send(post_bytes("/v1/responses", body))
        client.read_until(b"response.created")

    def gone() -> bool:
        return gateway.metrics()["llmgw_client_disconnects_total"] == 1

    wait_until(gone, "the client is missed", timeout=10)
    assert stored_files(gateway) == []


def test_a_response_that_is_kept_is_never_given_twice(
    start_gateway: StartGateway, upstreams: Upstreams
) -> None:
    gateway = start_gateway(upstreams.config(cache={"ttl": 600}))
    body = {"model": "claude", "input": "Hello"}
    kept = [gateway.post("/v1/responses", body) for _ in range(3)]
    loose = [gateway.post("/v1/responses", body | {"store": False}) for _ in range(3)]

    assert [each.header("x-llmgw-cache") for each in kept] == ["bypass"] * 3
    assert len({each.json()["id"] for each in kept}) == 3
    assert [status_of(gateway, each.json()) for each in kept] == [200] * 3
    assert [each.header("x-llmgw-cache") for each in loose] == ["miss", "hit", "hit"]
