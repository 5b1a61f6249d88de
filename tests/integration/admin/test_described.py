"""What the description allows is asked of a real gateway: no 5xx, and nothing that it does not tell of."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.gateway_process import MASTER_KEY, GatewayProcess, wait_until
from tests.integration.admin.conftest import CONFIG

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text())
DOCUMENT["paths"] = {path: it for path, it in DOCUMENT["paths"].items() if path.startswith("/api/")}
schema = schemathesis.openapi.from_dict(DOCUMENT)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with GatewayProcess(tmp_path_factory.mktemp("described"), CONFIG) as running:
        wait_until(lambda: running.get("/api/v1/teams").status == 200, "the tables are there")
        yield running.url


@schema.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
def test_the_gateway_answers_as_it_is_described(url: str, case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {MASTER_KEY}"}, checks=CHECKS)
