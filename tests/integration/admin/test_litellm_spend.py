"""What LiteLLM's routes tell of spend is what the books say."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from tests.conftest import deployment
from tests.gateway_process import GatewayProcess, wait_until
from tests.integration.admin.client import JSON
from tests.integration.admin.test_litellm import LiteLLM
from tests.upstreams.replies import answer_chat
from tests.upstreams.scripted import ScriptedUpstream

COSTS = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}


@pytest.fixture(scope="module")
def litellm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteLLM]:
    with ScriptedUpstream(answer_chat) as upstream:
        model = {**deployment("m", upstream.base_url), "model_info": COSTS}
        with GatewayProcess(tmp_path_factory.mktemp("spend"), {"model_list": [model]}) as running:
            wait_until(lambda: running.get("/api/v1/teams").status == 200, "the tables are there")
            with httpx.Client(base_url=running.url, timeout=30) as client:
                yield LiteLLM(client)


@pytest.fixture(scope="module")
def key(litellm: LiteLLM) -> JSON:
    """A key that has paid for one request."""
    team = litellm.post("/team/new", team_alias="payers")["team_id"]
    made = litellm.post("/key/generate", team_id=team)
    wait_until(lambda: litellm.chat(made["key"]) == 200, "the workers know the key")
    wait_until(lambda: _spend(litellm, made) > 0, "the books are up to date")
    return made


def _spend(litellm: LiteLLM, made: JSON) -> float:
    return float(litellm.get("/key/info", key=made["key"])["info"]["spend"])


def test_a_request_is_told_of_with_its_cost(litellm: LiteLLM, key: JSON) -> None:
    rows = litellm.get("/spend/logs", api_key=key["key"])
    charged = [row for row in rows if row["spend"]]
    assert len(charged) == 1
    (row,) = charged
    assert row["spend"] == _spend(litellm, key)
    assert (row["api_key"], row["model_group"], row["status"]) == (key["token"], "m", "success")
    assert row["total_tokens"] == row["prompt_tokens"] + row["completion_tokens"] > 0
    assert row["startTime"] <= row["endTime"]


def test_days_teams_and_logs_come_to_the_same_sum(litellm: LiteLLM, key: JSON) -> None:
    today = datetime.now(UTC).date().isoformat()
    days = {"start_date": today, "end_date": today}
    spend = _spend(litellm, key)
    team = litellm.get("/team/info", team_id=key["team_id"])
    assert team["team_info"]["spend"] == spend
    (day,) = litellm.get("/global/spend/report", 200, **days, team_id=key["team_id"])
    assert (day["teams"][0]["team_name"], day["teams"][0]["total_spend"]) == ("payers", spend)
    activity = litellm.get("/team/daily/activity", 200, **days, team_ids=key["team_id"])
    (result,) = activity["results"]
    assert result["metrics"]["spend"] == activity["metadata"]["total_spend"] == spend
    assert result["breakdown"]["models"]["m"]["metrics"]["spend"] == spend
    assert litellm.get("/user/daily/activity", 200, **days, api_key=key["key"])["results"] == [result]


def test_sums_that_are_not_kept_so_are_refused(litellm: LiteLLM) -> None:
    litellm.get("/spend/logs", 400, summarize="true")
    litellm.get("/global/spend/report", 400, start_date="2026-01-02", end_date="2026-01-01")
    litellm.get(
        "/global/spend/report", 400, start_date="2026-01-01", end_date="2026-01-01", group_by="customer"
    )
