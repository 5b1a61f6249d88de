"""A gateway in front of upstreams that keep nothing, and OpenAI's SDK in front of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.gateway_process import GatewayProcess
from tests.integration.responses.room import Upstreams, sdk
from tests.upstreams.vendors import anthropic_messages, gemini_generate
from tests.upstreams.vendors.vendor import VendorUpstream


@pytest.fixture(scope="session")
def running_upstreams() -> Iterator[Upstreams]:
    with ExitStack() as running:
        vendors = (anthropic_messages.VENDOR, gemini_generate.VENDOR)
        yield Upstreams(*(running.enter_context(VendorUpstream(each)) for each in vendors))


@pytest.fixture
def upstreams(running_upstreams: Upstreams) -> Upstreams:
    """Upstreams that have seen nothing yet."""
    running_upstreams.forget()
    return running_upstreams


@pytest.fixture(scope="session")
def shared_gateway(
    tmp_path_factory: pytest.TempPathFactory, running_upstreams: Upstreams
) -> Iterator[GatewayProcess]:
    home = tmp_path_factory.mktemp("responses")
    with GatewayProcess(home, running_upstreams.config(), workers=2) as gateway:
        yield gateway


@pytest.fixture
def storing(shared_gateway: GatewayProcess, upstreams: Upstreams) -> GatewayProcess:
    """The session's gateway with two workers, in front of clean upstreams."""
    shared_gateway.assert_running()
    return shared_gateway


@pytest.fixture
def own(start_gateway: StartGateway, upstreams: Upstreams) -> GatewayProcess:
    """A gateway of the test's own."""
    return start_gateway(upstreams.config())


@pytest.fixture
def client(storing: GatewayProcess) -> Iterator[Any]:
    """OpenAI's SDK. Its unions of items and events are too wide to be told apart in every test."""
    with sdk(storing) as client:
        yield client
