"""The Host header decides nothing: with a strange one no route of the admin API is reached."""

import json
from pathlib import Path

import pytest

from tests.gateway_process import GatewayProcess, authorization
from tests.raw_http import exchange

GOLDEN = Path(__file__).parents[2] / "architecture" / "role_matrix.json"
ROUTES = [route.split(" ") for route in json.loads(GOLDEN.read_text()) if " /api/" in route]
STRANGE = [
    "localhost:4000/#@x",
    "localhost/healthz?",
    "localhost:4000/health/liveness#",
    "a@b",
    "a\\b",
    "",
    "a b",
    "localhost%2fhealthz",
]


@pytest.mark.parametrize("host", STRANGE)
def test_a_strange_host_reaches_no_route(gateway: GatewayProcess, host: str) -> None:
    for method, path in ROUTES:
        head = f"{method} {path.format(id='x')} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        assert exchange(gateway.port, head.encode(), None).status == 400, (method, path)


def test_another_host_changes_nothing_of_who_may_what(gateway: GatewayProcess) -> None:
    for method, path in ROUTES:
        head = f"{method} {path.format(id='x')} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
        assert exchange(gateway.port, head.encode(), None).status == 401, (method, path)


def test_no_other_site_is_told_that_it_may_read(gateway: GatewayProcess) -> None:
    name, value = authorization("test-master-key-0123456789")[0]
    lines = f"Host: a\r\nOrigin: https://evil.example\r\n{name}: {value}\r\nConnection: close\r\n\r\n"
    response = exchange(gateway.port, f"GET /api/v1/teams HTTP/1.1\r\n{lines}".encode(), None)
    assert response.status == 200
    assert response.header("access-control-allow-origin") is None
