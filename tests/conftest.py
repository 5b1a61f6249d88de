"""Fixtures shared by all tests: the upstreams, and gateways that stand in front of them.

Gateways and upstreams live for a whole session and are cleaned between tests; a test that kills, reloads
or rests something starts a gateway of its own with `start_gateway`.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.gateway_process import GatewayProcess, free_port
from tests.upstreams.real_model import MODEL_NAME, RealModel
from tests.upstreams.replies import answer_chat
from tests.upstreams.scripted import ScriptedUpstream

StartGateway = Callable[..., GatewayProcess]

APP_KEY = "test-app-key-0123456789"
KEYS_ENVIRONMENT = {"APP_KEY": APP_KEY}

# Short deadlines, so that a test of a deadline is quick; long enough for a loaded machine.
SERVER_LIMITS: dict[str, Any] = {
    "header_timeout": 2,
    "body_idle_timeout": 2,
    "max_body_bytes": 1_000_000,
    "max_header_bytes": 32_768,
    "write_timeout": 30,
    "drain_timeout": 20,
}


def deployment(model_name: str, base_url: str, model: str = "openai/routed", **params: Any) -> dict[str, Any]:
    """One entry of `model_list`."""
    fields = {"model": model, "api_base": base_url, "api_key": "upstream-credential", **params}
    return {"model_name": model_name, "litellm_params": fields}


def gateway_config(*deployments: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """A configuration that neither retries nor rests a deployment, unless `sections` say so."""
    config: dict[str, Any] = {
        "model_list": list(deployments),
        "keys": [{"alias": "app", "key": "env:APP_KEY", "models": ["plain"]}],
        "router_settings": {"num_retries": 0, "timeout": 20, "allowed_fails": 1_000_000, "cooldown_time": 1},
        "server": SERVER_LIMITS,
    }
    for name, section in sections.items():
        config[name] = section if isinstance(section, list) else {**config.get(name, {}), **section}
    return config


@pytest.fixture(scope="session")
def upstream_servers() -> Iterator[tuple[ScriptedUpstream, ScriptedUpstream]]:
    with ScriptedUpstream(answer_chat) as first, ScriptedUpstream(answer_chat) as second:
        yield first, second


@pytest.fixture
def upstream(upstream_servers: tuple[ScriptedUpstream, ScriptedUpstream]) -> ScriptedUpstream:
    """The scripted upstream that every group sends to first, with nothing queued or recorded."""
    upstream_servers[0].forget()
    return upstream_servers[0]


@pytest.fixture
def other_upstream(upstream_servers: tuple[ScriptedUpstream, ScriptedUpstream]) -> ScriptedUpstream:
    """A second scripted upstream, for retries on another deployment and for fallbacks."""
    upstream_servers[1].forget()
    return upstream_servers[1]


@pytest.fixture(scope="session")
def steady_gateway(
    tmp_path_factory: pytest.TempPathFactory,
    upstream_servers: tuple[ScriptedUpstream, ScriptedUpstream],
) -> Iterator[GatewayProcess]:
    """Sends each request once and never rests a deployment, so that a fault shows as it is."""
    first, second = (each.base_url for each in upstream_servers)
    config = gateway_config(
        deployment("plain", first),
        deployment("second", second),
        deployment("impatient", first, timeout=1),
        deployment("nobody", f"http://127.0.0.1:{free_port()}/v1"),
    )
    home = tmp_path_factory.mktemp("steady")
    with GatewayProcess(home, config, env=KEYS_ENVIRONMENT) as gateway:
        yield gateway


@pytest.fixture
def gateway(steady_gateway: GatewayProcess, upstream: ScriptedUpstream) -> GatewayProcess:
    """The session's gateway in front of a clean upstream."""
    steady_gateway.assert_running()
    return steady_gateway


@pytest.fixture
def start_gateway(tmp_path: Path) -> Iterator[StartGateway]:
    """Start a gateway of the test's own: `start_gateway(config, workers=2, env={...})`."""
    with ExitStack() as running:

        def start(
            config: dict[str, Any], workers: int = 1, env: dict[str, str] | None = None
        ) -> GatewayProcess:
            home = tmp_path / f"gateway{len(list(tmp_path.iterdir()))}"
            home.mkdir()
            process = GatewayProcess(home, config, workers, KEYS_ENVIRONMENT | (env or {}))
            return running.enter_context(process)

        yield start


@pytest.fixture(scope="session")
def real_model() -> Iterator[RealModel]:
    """A real, small model behind llama.cpp's server."""
    with RealModel() as model:
        yield model


@pytest.fixture(scope="session")
def model_gateway(
    tmp_path_factory: pytest.TempPathFactory, real_model: RealModel
) -> Iterator[GatewayProcess]:
    """A gateway in front of the real model."""
    config = gateway_config(
        deployment(MODEL_NAME, real_model.base_url, f"openai/{MODEL_NAME}"), router_settings={"timeout": 90}
    )
    with GatewayProcess(tmp_path_factory.mktemp("model"), config, env=KEYS_ENVIRONMENT) as gateway:
        yield gateway
