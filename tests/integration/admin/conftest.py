"""A real gateway with an admin API, on each database."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.gateway_process import GatewayProcess, wait_until
from tests.integration.admin.client import Admin
from tests.services import PostgresServer, postgres

__all__ = ["postgres"]

CONFIG = {
    "model_list": [{"model_name": "m", "litellm_params": {"model": "mock/echo"}}],
    "scim": {"roles": [{"value": "platform-admins", "role": "admin", "on": "platform"}]},
}
_numbers = count()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """Two workers on a database of their own, for a module."""
    environment = {}
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        environment["LLMGW_DATABASE_URL"] = server.make_database(f"admin{next(_numbers)}")
    home: Path = tmp_path_factory.mktemp("gateway")
    with GatewayProcess(home, CONFIG, workers=2, env=environment) as running:
        wait_until(lambda: running.get("/api/v1/teams").status == 200, "the tables are there")
        yield running


@pytest.fixture(scope="module")
def admin(gateway: GatewayProcess) -> Iterator[Admin]:
    """The holder of the master key."""
    client = Admin(gateway.url)
    yield client
    client.close()
