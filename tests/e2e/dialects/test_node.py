"""The JavaScript SDKs in front of the gateway, and every upstream's format behind it."""

import json
from typing import Any

import pytest

from tests.clients import meaning, node
from tests.e2e.dialects import table
from tests.e2e.dialects.conftest import Dialects
from tests.e2e.dialects.expectations import COHERE_EXTRA, COHERE_PLAN
from tests.gateway_process import MASTER_KEY
from tests.upstreams.vendors import fixtures

CASES = [
    (sdk, wire, scenario, streamed)
    for sdk, surface in node.SDKS.items()
    if surface in table.SURFACES
    for wire in table.WIRES
    for scenario in (*node.SCENARIOS, "error_429")
    for streamed in (False, True)
    if (sdk, scenario) not in node.NOT_ASKED
]


@pytest.fixture(scope="module")
def results(running_dialects: Dialects, pytestconfig: pytest.Config) -> dict[Any, dict[str, Any]]:
    """All questions, asked in one process."""
    assert pytestconfig.cache is not None
    folder = node.install(pytestconfig.cache)
    root = running_dialects.gateway.url
    jobs = [
        node.job(sdk, root, MASTER_KEY, wire, scenario, stream=streamed)
        for sdk, wire, scenario, streamed in CASES
    ]
    found = dict(zip(CASES, node.run(folder, jobs), strict=True))
    running_dialects.refused()  # what an upstream refused shows in the results
    return found


@pytest.mark.timeout(400)
@pytest.mark.parametrize("case", CASES, ids=lambda it: "-".join([*it[:3], "streamed" if it[3] else "whole"]))
def test_a_javascript_sdk_reads_what_is_said(results: dict[Any, dict[str, Any]], case: Any) -> None:
    sdk, wire, scenario, _ = case
    if scenario == "error_429":
        assert results[case]["error"]["status"] == 429
        return
    said = fixtures.meaning(scenario)
    assert "error" not in results[case], results[case]
    outcome = results[case]["outcome"]
    if scenario == "json_schema":
        assert json.loads(outcome.pop("text")) == json.loads(said["text"])
    plans = {said["text"], COHERE_PLAN} if wire == "cohere_chat" and "calls" in said else {said["text"]}
    assert outcome.get("text", said["text"]) in plans
    assert outcome["calls"] == said.get("calls", [])
    for name, count in outcome["usage"].items():
        extra = COHERE_EXTRA[name] if wire == "cohere_chat" else 0
        assert count in {said["usage"][name], said["usage"][name] + extra}
    own = meaning.finish(node.SDKS[sdk], said)
    assert outcome["finish"] == (node.AI_FINISH[said["finish"]] if sdk.startswith("ai_") else own)
    if "thinking" in outcome:
        assert outcome["thinking"] == said.get("thinking", "")
