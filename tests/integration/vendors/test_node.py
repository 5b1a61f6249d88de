"""The JavaScript SDKs read the same out of the vendors' upstreams."""

from typing import Any

import pytest

from tests.clients import meaning, node
from tests.integration.vendors.conftest import MODEL, Direct
from tests.upstreams.vendors import fixtures
from tests.upstreams.vendors.vendor import CREDENTIAL

CASES = [
    (sdk, scenario, streamed)
    for sdk in node.SDKS
    for scenario in (*node.SCENARIOS, "error_429")
    for streamed in (False, True)
    if (sdk, scenario) not in node.NOT_ASKED
]


@pytest.fixture(scope="module")
def results(directs: dict[str, Direct], pytestconfig: pytest.Config) -> dict[Any, dict[str, Any]]:
    """All questions, asked in one process."""
    assert pytestconfig.cache is not None
    folder = node.install(pytestconfig.cache)
    jobs = [
        node.job(sdk, directs[node.SDKS[sdk]].root, CREDENTIAL, MODEL, scenario, stream=streamed)
        for sdk, scenario, streamed in CASES
    ]
    return dict(zip(CASES, node.run(folder, jobs), strict=True))


@pytest.mark.timeout(400)
@pytest.mark.parametrize("case", CASES, ids=lambda it: f"{it[0]}-{it[1]}-{'streamed' if it[2] else 'whole'}")
def test_a_javascript_sdk_reads_what_is_said(results: dict[Any, dict[str, Any]], case: Any) -> None:
    sdk, scenario, _ = case
    if scenario == "error_429":
        assert results[case]["error"]["status"] == 429
        return
    said = fixtures.meaning(scenario)
    assert "error" not in results[case], results[case]
    outcome = results[case]["outcome"]
    assert outcome["text"] == said["text"]
    assert outcome["calls"] == said.get("calls", [])
    assert outcome["usage"] == {name: said["usage"][name] for name in ("input", "output")}
    own = meaning.finish(node.SDKS[sdk], said)
    assert outcome["finish"] == (node.AI_FINISH[said["finish"]] if sdk.startswith("ai_") else own)
    if "thinking" in outcome:
        assert outcome["thinking"] == said.get("thinking", "")
