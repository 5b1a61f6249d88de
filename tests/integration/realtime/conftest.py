"""Fixtures of realtime sessions: an upstream of them, and a gateway in front of it."""

from collections.abc import Iterator

import pytest

from tests.conftest import APP_KEY
from tests.gateway_process import GatewayProcess
from tests.integration.realtime.client import realtime_config
from tests.upstreams.realtime import RealtimeUpstream, running


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RealtimeUpstream]:
    with running() as upstream:
        yield upstream


@pytest.fixture
def server(shared_server: RealtimeUpstream) -> RealtimeUpstream:
    """An upstream that holds conversations, and has held none yet."""
    shared_server.forget()
    return shared_server


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, shared_server: RealtimeUpstream
) -> Iterator[GatewayProcess]:
    home = tmp_path_factory.mktemp("realtime")
    with GatewayProcess(home, realtime_config(shared_server.base_url), env={"APP_KEY": APP_KEY}) as gateway:
        yield gateway
