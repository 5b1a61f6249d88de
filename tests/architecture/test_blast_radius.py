"""A minor provider is named in its record, and nowhere else."""

from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "python" / "llmgw"
MOST_FILES = 2


@pytest.mark.parametrize("host", ["cerebras", "deepinfra", "hyperbolic", "moonshot", "novita", "sambanova"])
def test_a_minor_provider_is_named_in_two_files_at_most(host: str) -> None:
    naming = [path for path in SOURCES.rglob("*.py") if host in path.read_text(encoding="utf-8").lower()]
    assert 0 < len(naming) <= MOST_FILES
