"""Fixtures of the tests that need more than gateways and upstreams."""

from collections.abc import Iterator

import pytest

from tests.upstreams.clouds import Service


@pytest.fixture
def service() -> Iterator[Service]:
    """A service of a cloud, asked for nothing yet."""
    running = Service()
    yield running
    running.close()
