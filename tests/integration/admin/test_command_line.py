"""The command line at a running gateway: over HTTP, and on the store beneath it."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.gateway_process import MASTER_KEY, GatewayProcess, wait_until
from tests.integration.admin.client import unique

REFUSED, UNHEALTHY = 3, 4


def llmgw(variables: dict[str, str], *arguments: str, status: int = 0) -> str:
    """What a command prints, with these in its environment; its errors if it is to fail."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LLMGW_")}
    done = subprocess.run(
        [sys.executable, "-m", "llmgw", *arguments],
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def made(variables: dict[str, str], *arguments: str) -> dict[str, Any]:
    """What a command made."""
    fields: dict[str, Any] = json.loads(llmgw(variables, *arguments, "--json"))
    return fields


@pytest.fixture
def remote(gateway: GatewayProcess) -> dict[str, str]:
    return {"LLMGW_URL": gateway.url, "LLMGW_API_KEY": MASTER_KEY}


def test_a_team_and_its_key_are_made_over_http(gateway: GatewayProcess, remote: dict[str, str]) -> None:
    name, alias = unique("team"), unique("key")
    team = made(remote, "teams", "create", name, "--set", 'models=["m"]')
    key = made(remote, "keys", "create", alias, "--set", f"team_id={team['id']}")
    wait_until(lambda: gateway.chat("m", key["key"]).status == 200, "the key is good", 2.0)
    llmgw(remote, "keys", "block", alias)
    wait_until(lambda: gateway.chat("m", key["key"]).status == 401, "the key is blocked", 2.0)
    assert made(remote, "teams", "update", name, "--set", "blocked=true")["blocked"] is True
    assert alias in llmgw(remote, "keys", "list", "--where", f"team_id={team['id']}")
    llmgw(remote, "keys", "revoke", alias)
    llmgw(remote, "teams", "delete", name)
    assert "there is no team" in llmgw(remote, "teams", "info", name, status=1)


def test_exit_codes_tell_why(remote: dict[str, str]) -> None:
    wrong = remote | {"LLMGW_API_KEY": "sk-nobodys-key-0123456789"}
    llmgw(wrong, "teams", "list", status=REFUSED)
    llmgw(remote | {"LLMGW_URL": "http://127.0.0.1:9"}, "teams", "list", status=UNHEALTHY)
    llmgw(remote, "teams", "create", "a", "--set", "nothing=1", status=2)


def test_what_is_changed_in_the_store_beneath_a_gateway_holds_there(gateway: GatewayProcess) -> None:
    if not (gateway.home / "state" / "llmgw.db").exists():
        pytest.skip("only a store of SQLite is changed without a gateway")
    local = {"LLMGW_HOME": str(gateway.home / "state")}
    alias = unique("key")
    key = made(local, "keys", "create", alias)
    wait_until(lambda: gateway.chat("m", key["key"]).status == 200, "the key is good", 2.0)
    llmgw(local, "keys", "revoke", alias)
    wait_until(lambda: gateway.chat("m", key["key"]).status == 401, "the key is gone", 2.0)
