"""A credential that expires is renewed while the gateway serves, on all workers and at nobody's cost."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway, gateway_config
from tests.gateway_process import GatewayProcess, wait_until
from tests.integration import token_plugin
from tests.integration.load import WHOLE, Load
from tests.upstreams.scripted import ScriptedUpstream

SHORT, LONG = 4, 1000
RELOADED = "llmgw_config_last_reload_successful"
ENOUGH_FOR_ALL_WORKERS = 40

Write = Callable[[str, float], None]


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


@pytest.fixture
def write(token_file: Path) -> Write:
    """Put a token in the file at once."""

    def put(token: str, seconds: float) -> None:
        fresh = token_file.with_suffix(".fresh")
        fresh.write_text(json.dumps({"token": token, "seconds": seconds}))
        fresh.replace(token_file)

    return put


@pytest.fixture
def environment(tmp_path: Path, token_file: Path) -> Iterator[dict[str, str]]:
    """What makes a gateway find the plugin, and the plugin its file."""
    package = tmp_path / "plugins" / "tokens-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: tokens\nVersion: 1\n")
    (package / "entry_points.txt").write_text(token_plugin.ENTRY_POINT)
    root = Path(__file__).parents[2]
    found = os.pathsep.join([str(package.parent), str(root), os.environ.get("PYTHONPATH", "")])
    yield {"PYTHONPATH": found.rstrip(os.pathsep), "TOKEN_FILE": str(token_file)}


def config(upstream: ScriptedUpstream, **sections: Any) -> dict[str, Any]:
    entry = {
        "model_name": "plain",
        "litellm_params": {"model": "tokens/routed", "api_base": upstream.base_url},
    }
    return gateway_config(entry, **sections)


def shown(gateway: GatewayProcess, upstream: ScriptedUpstream) -> set[str | None]:
    """Send chats on new connections, so that all workers get some; the credentials that were shown."""
    upstream.forget()
    assert {gateway.chat("plain").status for _ in range(ENOUGH_FOR_ALL_WORKERS)} == {200}
    return {request.header("authorization") for request in upstream.requests}


def until_shown(gateway: GatewayProcess, upstream: ScriptedUpstream, token: str) -> None:
    wait_until(lambda: shown(gateway, upstream) == {f"Bearer {token}"}, f"all workers use {token}", 30)


def test_what_is_passed_through_shows_the_renewed_token_too(
    start_gateway: StartGateway, upstream: ScriptedUpstream, environment: dict[str, str], write: Write
) -> None:
    write("token-a", SHORT)
    params = {"model": "tokens/*", "api_base": upstream.base_url}
    settings = config(upstream, pass_through={"raw": {"params": params, "paths": ["/v1/"]}})
    settings["model_list"] = [{"model_name": "plain", "params": {"model": "mock/m"}}]
    gateway = start_gateway(settings, env=environment)

    def token() -> str | None:
        upstream.forget()
        assert gateway.get("/raw/v1/things").status == 200
        return upstream.only_request().header("authorization")

    assert token() == "Bearer token-a"
    write("token-b", LONG)
    wait_until(lambda: token() == "Bearer token-b", "the new token is shown", 30)


def test_a_renewed_token_is_used_by_all_workers_and_no_request_fails(
    start_gateway: StartGateway, upstream: ScriptedUpstream, environment: dict[str, str], write: Write
) -> None:
    write("token-a", SHORT)
    gateway = start_gateway(config(upstream), workers=2, env=environment)
    assert shown(gateway, upstream) == {"Bearer token-a"}

    with Load(gateway) as load:
        write("token-b", LONG)
        until_shown(gateway, upstream, "token-b")
        load.wait_for_more(20)

    assert set(load.outcomes) == {WHOLE}
    assert gateway.metrics()[RELOADED] == 1


def test_cached_replies_survive_a_renewal(
    start_gateway: StartGateway, upstream: ScriptedUpstream, environment: dict[str, str], write: Write
) -> None:
    write("token-a", SHORT)
    gateway = start_gateway(config(upstream, cache={"ttl": 600}), env=environment)
    assert gateway.chat("plain", seed=7).status == 200
    write("token-b", LONG)

    def renewed() -> bool:
        gateway.post(
            "/v1/chat/completions",
            {"model": "plain", "messages": []},
            headers=[("content-type", "application/json"), ("cache-control", "no-cache")],
        )
        return upstream.requests[-1].header("authorization") == "Bearer token-b"

    wait_until(renewed, "the renewed token is used", 30)
    upstream.forget()
    assert gateway.chat("plain", seed=7).status == 200
    assert not upstream.requests


def test_a_renewal_that_fails_is_told_and_tried_again(
    start_gateway: StartGateway,
    upstream: ScriptedUpstream,
    environment: dict[str, str],
    token_file: Path,
    write: Write,
) -> None:
    write("token-a", 8)
    gateway = start_gateway(config(upstream), workers=2, env=environment)
    token_file.unlink()

    wait_until(lambda: "a credential was not renewed" in gateway.log(), "the failure is told", 30)
    assert shown(gateway, upstream) == {"Bearer token-a"}
    assert gateway.metrics()[RELOADED] == 1
    write("token-b", LONG)

    until_shown(gateway, upstream, "token-b")


def test_a_gateway_starts_without_a_token_and_takes_it_when_it_is_there(
    start_gateway: StartGateway, upstream: ScriptedUpstream, environment: dict[str, str], write: Write
) -> None:
    gateway = start_gateway(config(upstream), env=environment)
    assert shown(gateway, upstream) == {None}
    assert "no token: No such file or directory" in gateway.log()

    write("token-a", LONG)

    until_shown(gateway, upstream, "token-a")


def test_a_bad_settings_file_keeps_no_token_from_being_renewed(
    start_gateway: StartGateway, upstream: ScriptedUpstream, environment: dict[str, str], write: Write
) -> None:
    write("token-a", SHORT)
    gateway = start_gateway(config(upstream), env=environment)
    gateway.write_config("model_list: [")
    wait_until(lambda: gateway.metrics()[RELOADED] == 0, "the bad file is noticed", 30)

    write("token-b", LONG)

    until_shown(gateway, upstream, "token-b")
    assert gateway.metrics()[RELOADED] == 0


def test_a_change_of_the_settings_does_not_wait_for_a_slow_renewal(
    start_gateway: StartGateway,
    upstream: ScriptedUpstream,
    environment: dict[str, str],
    token_file: Path,
    write: Write,
) -> None:
    write("token-a", 20)
    gateway = start_gateway(config(upstream), env=environment)
    token_file.unlink()
    os.mkfifo(token_file)  # whoever reads it waits for a writer
    pipes: list[int] = []

    def somebody_reads() -> bool:
        try:
            pipes.append(os.open(token_file, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    wait_until(somebody_reads, "the renewal has begun", 30)
    gateway.write_config(config(upstream, keys=[]))
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: "new settings are in force" in gateway.log(), "the settings have changed", 10)
    assert shown(gateway, upstream) == {"Bearer token-a"}

    token_file.unlink()
    write("token-b", LONG)
    os.write(pipes[0], json.dumps({"token": "token-b", "seconds": LONG}).encode())
    os.close(pipes[0])
    until_shown(gateway, upstream, "token-b")
