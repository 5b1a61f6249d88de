"""LiteLLM's own client administers a gateway of ours."""

import json
import os
import subprocess
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from tests.differential.sides import PYTHON
from tests.gateway_process import MASTER_KEY, GatewayProcess, wait_until

SCRIPT = Path(__file__).with_name("admin_client.py")
CONFIG = {"model_list": [{"model_name": "m", "litellm_params": {"model": "mock/echo"}}]}
OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the client was answered."""
    if not PYTHON.exists():
        pytest.skip("the peer is not installed: make differential")
    with GatewayProcess(tmp_path_factory.mktemp("gateway"), CONFIG) as gateway:
        wait_until(lambda: gateway.get("/api/v1/teams").status == 200, "the tables are there")
        command = [str(PYTHON), str(SCRIPT), gateway.url, MASTER_KEY]
        with subprocess.Popen(command, env=os.environ | OFFLINE, stdout=PIPE, stderr=PIPE, text=True) as peer:
            told, failed = peer.communicate(timeout=100)
    assert peer.returncode == 0, failed
    return json.loads(told.splitlines()[-1])


def test_it_makes_changes_reads_and_deletes_keys(told: Any) -> None:
    made, info = told["made"], told["info"]["info"]
    assert (made["models"], made["aliases"], made["key_alias"]) == (["m"], {"x": "m"}, "k")
    assert (info["token"], info["key_alias"], info["models"]) == (made["token"], "k2", [])
    assert [each["token"] for each in told["listed"]["keys"]] == [made["token"]]
    assert told["deleted"] == {"deleted_keys": [made["token"], told["user"]["token"]]}


def test_it_makes_reads_lists_and_deletes_people(told: Any) -> None:
    id = told["user"]["user_id"]
    assert told["read"]["user_info"]["user_email"] == "a@example.com"
    assert [each["user_id"] for each in told["people"]] == [id]
    assert told["gone"] == {"deleted_users": [id]}


def test_it_lists_teams_and_models(told: Any) -> None:
    assert told["teams"] == []
    assert "m" in json.dumps(told["models"])
