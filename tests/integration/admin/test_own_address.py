"""The admin API at an address of its own: gone from the other, and nothing but it is there."""

from pathlib import Path

import httpx

from tests.gateway_process import MASTER_KEY, GatewayProcess, authorization, free_port, wait_until
from tests.integration.admin.conftest import CONFIG

HEADERS = dict(authorization(MASTER_KEY))


def test_the_admin_api_is_served_at_its_own_address_alone(tmp_path: Path) -> None:
    port = free_port()
    config = {**CONFIG, "server": {"admin": {"host": "127.0.0.1", "port": port}}}
    with GatewayProcess(tmp_path, config, workers=2) as gateway:
        private = f"http://127.0.0.1:{port}"
        wait_until(lambda: status(f"{private}/api/v1/teams") == 200, "the admin API is there")
        assert status(f"{gateway.url}/api/v1/teams") == 404
        assert status(f"{gateway.url}/v1/models") == 200
        assert status(f"{private}/v1/models") == 404
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        chat = "/v1/chat/completions"
        assert httpx.post(private + chat, json=body, headers=HEADERS).status_code == 404
        assert httpx.post(gateway.url + chat, json=body, headers=HEADERS).status_code == 200
        for url in (private, gateway.url):
            assert status(f"{url}/health/readiness") == 200


def status(url: str) -> int:
    """Of a GET with the master key."""
    return httpx.get(url, headers=HEADERS).status_code
