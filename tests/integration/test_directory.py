"""Keys of the directory: they come, change and go while the gateway runs, at every worker."""

import itertools
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import APP_KEY, KEYS_ENVIRONMENT, deployment, gateway_config
from tests.directory_feed import DirectoryFeed, node
from tests.gateway_process import JSON_TYPE, GatewayProcess, chat_body, wait_until
from tests.raw_http import Response
from tests.upstreams.scripted import ScriptedUpstream

WORKERS = 4
KEY = "store-key-0123456789abcdef"
NEXT_KEY = "store-key-fedcba9876543210"
TOLD_SECONDS = 1.0
"""Within that every worker knows."""
MICROSECONDS = 1_000_000
_MARKS = itertools.count()
SERVED_LOCALLY = {"model": "mock/echo"}


def config(upstream: ScriptedUpstream, **sections: Any) -> dict[str, Any]:
    """Models in three regions, one of them unknown; a pass-through; a proxy that is believed."""
    base = upstream.base_url
    raw = {"model": "openai/*", "api_base": base, "api_key": "upstream-credential"}
    return gateway_config(
        deployment("plain", base),
        {**deployment("near", base), "model_info": {"region": "eu-west-1"}},
        {**deployment("far", base), "model_info": {"region": "us-east-1"}},
        {"model_name": "echo", "litellm_params": SERVED_LOCALLY},
        server={"trusted_proxies": ["127.0.0.1"]},
        pass_through={"raw": {"paths": ["/v1"], "litellm_params": raw}},
        **sections,
    )


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory,
    upstream_servers: tuple[ScriptedUpstream, ScriptedUpstream],
) -> Iterator[GatewayProcess]:
    home = tmp_path_factory.mktemp("directory")
    process = GatewayProcess(home, config(upstream_servers[0]), WORKERS, KEYS_ENVIRONMENT)
    with process, process.without_bookkeeper():
        yield process


@pytest.fixture(scope="module")
def written(running: GatewayProcess) -> DirectoryFeed:
    return DirectoryFeed.of(running)


@pytest.fixture
def feed(running: GatewayProcess, written: DirectoryFeed, upstream: ScriptedUpstream) -> DirectoryFeed:
    """A directory in which nothing is but a mark, known to every worker."""
    mark = f"the-mark-of-file-{written.file + 1:04}"
    written.begin(written.key("mark", mark))
    wait_until(lambda: statuses(running, mark) == {200}, "every worker has read the file")
    return written


def statuses(gateway: GatewayProcess, key: str, path: str = "/v1/files") -> set[int]:
    """What the workers answer a key, at a path that a worker answers alone.

    Whichever worker takes a connection answers it: so many that it is most unlikely that one was not asked.
    """
    return {gateway.get(path, key).status for _ in range(48)}


def told(gateway: GatewayProcess, feed: DirectoryFeed, *lines: dict[str, Any]) -> None:
    """Append lines, and wait until every worker knows them: a new key that comes with them is let in."""
    mark = f"a-mark-that-is-new-{next(_MARKS):06}"
    feed.append(*lines, feed.key("told", mark))
    wait_until(lambda: statuses(gateway, mark) == {200}, "every worker has read on")


def code(response: Response) -> tuple[int, str]:
    return response.status, response.error()["code"]


def chat_from(gateway: GatewayProcess, address: str, key: str = KEY) -> Response:
    """A chat that a proxy passes on for a client at this address."""
    headers = [JSON_TYPE, ("X-Forwarded-For", address)]
    return gateway.post("/v1/chat/completions", chat_body("plain"), key, headers)


# ── life of a key ───────────────────────────────────────────────────────────────────────────────


def test_a_key_appears_changes_and_goes_at_every_worker(running: GatewayProcess, feed: DirectoryFeed) -> None:
    assert statuses(running, KEY) == {401}

    told(running, feed, feed.key("one", KEY))
    assert statuses(running, KEY) == {200}
    assert running.chat("plain", KEY).status == 200

    told(running, feed, feed.key("one", KEY, blocked=True))
    assert statuses(running, KEY) == {401}
    assert running.chat("plain", KEY).error()["message"] == "The API key is blocked."

    told(running, feed, feed.key("one", KEY))
    assert statuses(running, KEY) == {200}

    told(running, feed, {"drop": "key_one"})
    assert statuses(running, KEY) == {401}


def test_a_key_is_blocked_at_every_worker_within_a_second(
    running: GatewayProcess, feed: DirectoryFeed
) -> None:
    told(running, feed, feed.key("one", KEY))
    feed.append(feed.key("one", KEY, blocked=True))
    time.sleep(TOLD_SECONDS)

    assert statuses(running, KEY) == {401}


def test_a_rotated_key_is_good_as_long_as_its_grace(running: GatewayProcess, feed: DirectoryFeed) -> None:
    line = feed.key("one", KEY, NEXT_KEY)
    line["digests"][0][1] = int((time.time() + 2.5) * MICROSECONDS)
    told(running, feed, line)
    assert (statuses(running, KEY), statuses(running, NEXT_KEY)) == ({200}, {200})

    wait_until(lambda: statuses(running, KEY) == {401}, "the grace is over")
    assert running.chat("plain", KEY).error()["message"] == "The API key was replaced by a newer one."
    assert statuses(running, NEXT_KEY) == {200}


def test_what_a_key_has_stored_stays_its_own_when_it_is_rotated(
    running: GatewayProcess, feed: DirectoryFeed
) -> None:
    told(running, feed, feed.key("one", KEY), feed.key("two", "another-key-0123456789"))
    made = running.post("/v1/responses", {"model": "echo", "input": "hello"}, KEY).json()["id"]

    told(running, feed, feed.key("one", NEXT_KEY, alias="renamed"))

    assert running.get(f"/v1/responses/{made}", NEXT_KEY).json()["id"] == made
    assert running.get(f"/v1/responses/{made}", "another-key-0123456789").status == 404


def test_what_a_key_of_the_settings_has_stored_is_not_found_by_one_of_its_name(
    running: GatewayProcess, feed: DirectoryFeed
) -> None:
    told(running, feed, feed.key("app", KEY), feed.key("master", NEXT_KEY))
    made = running.post("/v1/responses", {"model": "echo", "input": "hello"}).json()["id"]

    assert running.get(f"/v1/responses/{made}").status == 200
    assert running.get(f"/v1/responses/{made}", NEXT_KEY).status == 404


def test_a_key_expires_by_itself(running: GatewayProcess, feed: DirectoryFeed) -> None:
    told(running, feed, feed.key("one", KEY, expires_at=int((time.time() + 2.5) * MICROSECONDS)))
    assert statuses(running, KEY) == {200}

    wait_until(lambda: statuses(running, KEY) == {401}, "the key has expired")
    assert running.chat("plain", KEY).error()["message"] == "The API key has expired."


def test_the_settings_keys_win_over_the_directorys(running: GatewayProcess, feed: DirectoryFeed) -> None:
    told(running, feed, feed.key("one", APP_KEY, blocked=True))

    assert running.chat("plain", APP_KEY).status == 200


# ── what it belongs to ──────────────────────────────────────────────────────────────────────────


def test_a_team_that_is_blocked_blocks_its_keys_with_one_line(
    running: GatewayProcess, feed: DirectoryFeed
) -> None:
    told(running, feed, node("team", "a"), feed.key("one", KEY, team="team_a"), feed.key("two", NEXT_KEY))
    assert statuses(running, KEY) == {200}

    told(running, feed, node("team", "a", blocked=True))
    assert (statuses(running, KEY), statuses(running, NEXT_KEY)) == ({401}, {200})
    assert running.chat("plain", KEY).error()["message"] == "The API key's team is blocked."

    told(running, feed, node("team", "a"))
    assert statuses(running, KEY) == {200}

    told(running, feed, {"drop": "team_a"})
    assert statuses(running, KEY) == {401}


def test_what_a_team_belongs_to_counts_for_its_keys_too(running: GatewayProcess, feed: DirectoryFeed) -> None:
    told(
        running,
        feed,
        node("organisation", "o"),
        node("team", "a", parent="organisation_o"),
        feed.key("one", KEY, team="team_a"),
    )
    assert statuses(running, KEY) == {200}

    told(running, feed, node("organisation", "o", blocked=True))
    assert running.chat("plain", KEY).error()["message"] == "The API key's organisation is blocked."


def test_a_key_may_use_what_it_and_all_its_nodes_allow(running: GatewayProcess, feed: DirectoryFeed) -> None:
    team = node("team", "a", models=["plain", "ne*"])
    told(running, feed, team, feed.key("one", KEY, team="team_a", models=["plain", "far", "echo"]))

    listed = running.get("/v1/models", KEY).json()["data"]
    assert [each["id"] for each in listed] == ["plain"]
    assert running.chat("plain", KEY).status == 200
    for model in ("near", "far", "echo"):
        assert code(running.chat(model, KEY)) == (403, "permission_denied")

    told(running, feed, node("team", "a", models=["far"]))
    assert code(running.chat("plain", KEY)) == (403, "permission_denied")
    assert running.chat("far", KEY).status == 200


# ── where from, what for, and where to ──────────────────────────────────────────────────────────


def test_a_key_is_good_in_its_networks_alone(running: GatewayProcess, feed: DirectoryFeed) -> None:
    team = node("team", "a", networks=["10.0.0.0/8", "2001:db8::/32"])
    told(running, feed, team, feed.key("one", KEY, team="team_a", networks=["10.1.0.0/16", "2001:db8::/32"]))

    assert chat_from(running, "10.1.2.3").status == 200
    assert chat_from(running, "::ffff:10.1.2.3").status == 200
    assert chat_from(running, "6.6.6.6, 2001:db8::1").status == 200
    for address in ("10.2.0.1", "192.0.2.1", "10.1.2.3, 192.0.2.1", "unknown"):
        refused = chat_from(running, address)
        assert code(refused) == (403, "permission_denied")
        assert b"10.1" not in refused.body
    assert code(running.get("/v1/models", KEY)) == (403, "permission_denied")


def test_a_key_reaches_its_endpoints_alone(running: GatewayProcess, feed: DirectoryFeed) -> None:
    told(running, feed, feed.key("one", KEY, endpoints=["chat_completions", "files"]))

    assert running.chat("echo", KEY).status == 200
    assert running.get("/v1/files", KEY).status == 200
    assert running.get("/v1/models", KEY).status == 200
    for path in ("/v1/embeddings", "/v1/responses", "/raw/v1/chat/completions"):
        assert code(running.post(path, {"model": "echo", "input": "x"}, KEY)) == (403, "permission_denied")
    for path in ("/v1/batches", "/v1/responses/resp_1"):
        assert code(running.get(path, KEY)) == (403, "permission_denied")


def test_an_endpoint_is_refused_in_its_clients_words(running: GatewayProcess, feed: DirectoryFeed) -> None:
    told(running, feed, feed.key("one", KEY, endpoints=["embeddings.*"]))

    anthropic = running.post("/v1/messages", chat_body("echo", max_tokens=5), KEY)
    google = running.post("/v1beta/models/echo:generateContent", {"contents": []}, KEY)

    assert (anthropic.status, anthropic.json()["error"]["type"]) == (403, "permission_error")
    assert (google.status, google.json()["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_a_key_is_served_in_its_regions_alone(
    running: GatewayProcess, feed: DirectoryFeed, upstream: ScriptedUpstream
) -> None:
    told(running, feed, feed.key("one", KEY, regions=["eu-*"]))

    assert running.chat("near", KEY).status == 200
    for model in ("far", "plain", "echo"):
        assert code(running.chat(model, KEY)) == (403, "region_not_allowed")
    raw = running.post("/raw/v1/chat/completions", chat_body("near"), KEY)
    assert code(raw) == (403, "region_not_allowed")
    assert [each["id"] for each in running.get("/v1/models", KEY).json()["data"]] == ["near"]
    assert len(upstream.requests) == 1


def test_tags_that_are_none_are_refused(running: GatewayProcess, feed: DirectoryFeed) -> None:
    told(running, feed, feed.key("one", KEY))

    def tagged(value: str) -> int:
        headers = [JSON_TYPE, ("x-llmgw-tags", value)]
        return running.post("/v1/chat/completions", chat_body("echo"), KEY, headers).status

    assert (tagged("team:a, trial"), tagged("a b"), tagged(",".join("x" * 17))) == (200, 400, 400)


# ── the file ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "line",
    [b"no json\n", b'{"put":"key","id":"key_x"}\n', b'{"put":"thing","id":"x"}\n', b'{"end":0}\n', b"\n"],
    ids=["no JSON", "a key without its digests", "an unknown kind", "an end that goes back", "an empty line"],
)
def test_a_damaged_file_changes_nothing_and_a_new_one_is_asked_for(
    running: GatewayProcess, feed: DirectoryFeed, line: bytes
) -> None:
    told(running, feed, feed.key("one", KEY))
    feed.write(line)
    feed.append(feed.key("two", NEXT_KEY))
    time.sleep(TOLD_SECONDS)

    assert (statuses(running, KEY), statuses(running, NEXT_KEY)) == ({200}, {401})
    assert feed.shared.damaged_directory == feed.file
    assert "the directory's file is damaged" in running.log()
    assert KEY not in running.log() and feed.digest(KEY) not in running.log()

    feed.begin()
    told(running, feed, feed.key("two", NEXT_KEY))
    assert (statuses(running, KEY), statuses(running, NEXT_KEY)) == ({401}, {200})


def test_what_is_not_whole_is_not_read(running: GatewayProcess, feed: DirectoryFeed) -> None:
    line = b'{"put":"key","id":"key_one","alias":"one","digests":[["%s",null]]}\n' % feed.digest(KEY).encode()
    feed.write(line)
    feed.write(b'{"end":99', published=5)
    time.sleep(TOLD_SECONDS)
    assert statuses(running, KEY) == {401}

    feed.write(b"}\n", published=6)
    time.sleep(TOLD_SECONDS)
    assert statuses(running, KEY) == {200}


def test_a_new_file_takes_the_place_of_the_old_one_under_load(
    running: GatewayProcess, feed: DirectoryFeed
) -> None:
    keys = [feed.key(f"k{index}", f"some-key-of-many-{index:06}") for index in range(2000)]
    told(running, feed, feed.key("one", KEY), *keys)
    stop, seen = threading.Event(), set[int]()

    def ask() -> None:
        while not stop.is_set():
            seen.add(running.chat("echo", KEY).status)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(8):
        feed.begin(feed.key("one", KEY), *keys)
        time.sleep(0.25)
    stop.set()
    for thread in threads:
        thread.join()

    assert seen == {200}
    assert statuses(running, "some-key-of-many-001999") == {200}


def test_a_worker_that_is_started_anew_knows_the_directory(
    running: GatewayProcess, feed: DirectoryFeed
) -> None:
    told(running, feed, feed.key("one", KEY))
    before = running.worker_pids()
    os.kill(before[0], 9)

    wait_until(lambda: len(set(running.worker_pids()) - set(before)) == 1, "another worker is there")
    assert statuses(running, KEY) == {200}


# ── who is no key ───────────────────────────────────────────────────────────────────────────────

HOSTILE = {
    "sql": "' OR '1'='1",
    "sql that ends a statement": "x'; DROP TABLE keys; --",
    "sql in a key of ours": "sk-gw-' UNION SELECT digest FROM keys --",
    "a key of ours with a wrong checksum": "sk-gw-0123456789abcdefghijklZZZZZZ",
    "an id": "key_one",
    "a token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYXN0ZXIifQ.",
    "two dots": "..",
    "letters of other alphabets": "ключ-κλειδί-鍵".encode().decode("latin-1"),
    "a path": "../../../etc/passwd",
    "a template": "${jndi:ldap://x/a}",
    "the longest": "x" * 30_000,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_key_is_refused_without_a_word_of_it(
    running: GatewayProcess, feed: DirectoryFeed, upstream: ScriptedUpstream, value: str
) -> None:
    told(running, feed, feed.key("one", KEY))
    for name, form in (("Authorization", "Bearer {}"), ("x-api-key", "{}")):
        for path in ("/v1/chat/completions", "/v1/messages", "/raw/v1/x", "/v1/files"):
            response = running.post(path, chat_body("plain"), None, [JSON_TYPE, (name, form.format(value))])
            assert response.status == 401, (path, response.body)
            assert len(value) < 6 or value.encode("latin-1") not in response.body
    assert not upstream.requests
    assert len(value) < 6 or value not in running.log()


@pytest.mark.parametrize("value", [b"k\x00ey", b"k\ney", b"k\x7fey", b"k\x1bey"])
def test_what_no_header_may_hold_is_no_request(running: GatewayProcess, value: bytes) -> None:
    with running.connect() as client:
        line = b"GET /v1/files HTTP/1.1\r\nHost: gateway\r\nx-api-key: " + value + b"\r\n\r\n"
        client.send(line)
        assert client.read_head().status == 400


def test_a_key_that_is_larger_than_a_head_is_refused(running: GatewayProcess) -> None:
    refused = running.get("/v1/files", "x" * 65_536)

    assert refused.status == 431
