"""Counting tokens, where a surface has an endpoint for it."""

from typing import Any

import pytest

from tests.clients.base import Ask
from tests.e2e.dialects import table
from tests.e2e.dialects.conftest import Dialects


@pytest.mark.parametrize("wire", table.WIRES)
@pytest.mark.parametrize("surface", ["anthropic_messages", "gemini_generate"])
def test_tokens_are_counted_whatever_the_upstream(dialects: Dialects, surface: str, wire: str) -> None:
    client: Any = dialects.client(surface, wire)

    assert client.count_tokens(Ask("text")) > 0
