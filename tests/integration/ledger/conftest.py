"""A gateway in front of models of known price."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import KEYS_ENVIRONMENT, deployment, gateway_config
from tests.gateway_process import GatewayProcess, free_port
from tests.integration.ledger.reading import PRICE
from tests.upstreams.scripted import ScriptedUpstream

TIGHT_KEY = "tight-key-0123456789"
NARROW_KEY = "narrow-key-0123456789"
ENVIRONMENT = KEYS_ENVIRONMENT | {"TIGHT_KEY": TIGHT_KEY, "NARROW_KEY": NARROW_KEY}
KEYS: list[dict[str, Any]] = [
    {"alias": "app", "key": "env:APP_KEY"},
    {"alias": "tight", "key": "env:TIGHT_KEY", "rpm_limit": 1},
    {"alias": "narrow", "key": "env:NARROW_KEY", "models": ["other"]},
]


def priced(name: str, base_url: str, **params: Any) -> dict[str, Any]:
    """A deployment of known price."""
    return {**deployment(name, base_url, **params), "model_info": PRICE}


def ledger_config(first: str, second: str, **sections: Any) -> dict[str, Any]:
    """Models that are retried once, one that falls back, and one that is asked once."""
    retries = {"num_retries": 1, "retry_after": 0.01, "fallbacks": [{"leading": ["following"]}]}
    return gateway_config(
        priced("priced", first),
        priced("leading", first),
        priced("following", second),
        priced("impatient", first, timeout=1),
        priced("nobody", f"http://127.0.0.1:{free_port()}/v1"),
        deployment("unknown", first),
        **{"keys": KEYS, "router_settings": retries, **sections},
    )


@pytest.fixture(scope="module")
def books_gateway(
    tmp_path_factory: pytest.TempPathFactory,
    upstream_servers: tuple[ScriptedUpstream, ScriptedUpstream],
) -> Iterator[GatewayProcess]:
    first, second = (each.base_url for each in upstream_servers)
    home = tmp_path_factory.mktemp("ledger")
    with GatewayProcess(home, ledger_config(first, second), env=ENVIRONMENT) as gateway:
        yield gateway


@pytest.fixture
def gateway(
    books_gateway: GatewayProcess, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> GatewayProcess:
    """The module's gateway, in front of clean upstreams."""
    books_gateway.assert_running()
    return books_gateway
