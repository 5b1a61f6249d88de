"""A gateway in front of upstreams that keep files and batches."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.gateway_process import GatewayProcess
from tests.integration.files.room import config
from tests.upstreams.cabinet import Cabinet


@pytest.fixture
def kept() -> Iterator[Cabinet]:
    """An upstream that keeps files."""
    with Cabinet() as upstream:
        yield upstream


@pytest.fixture
def elsewhere() -> Iterator[Cabinet]:
    """Another one, which knows nothing of the first one's."""
    with Cabinet("elsewhere") as upstream:
        yield upstream


@pytest.fixture
def settings(kept: Cabinet, elsewhere: Cabinet) -> dict[str, Any]:
    return config(kept, elsewhere)


@pytest.fixture
def gateway(start_gateway: StartGateway, settings: dict[str, Any]) -> GatewayProcess:
    """A gateway with two workers."""
    return start_gateway(settings, workers=2)
