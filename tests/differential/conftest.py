"""llmgw and LiteLLM side by side, for who has asked for LiteLLM by `make differential`."""

from collections.abc import Iterator

import pytest

from tests.differential.sides import PYTHON, Sides, both_sides


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """Both, started; skips where LiteLLM is not installed."""
    if not PYTHON.exists():
        pytest.skip("LiteLLM is in no environment of its own: `make differential` makes one")
    with both_sides(tmp_path_factory.mktemp("differential")) as running:
        yield running
