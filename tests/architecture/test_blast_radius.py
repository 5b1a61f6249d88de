"""A minor provider is named in its record, and nowhere else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmgw.providers.compatible import Compatible
from llmgw.providers.hosts import HOSTS

SOURCES = Path(__file__).parents[2] / "python" / "llmgw"
MOST_FILES = 2


def texts(path: Path) -> Iterator[str]:
    """The text constants of a file; what its docstrings say in words does not count."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = None
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.lower()


FILES = {path: "\n".join(texts(path)) for path in SOURCES.rglob("*.py")}


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_a_minor_provider_is_named_in_two_files_at_most(host: Compatible) -> None:
    named = re.compile(rf"(?<![a-z0-9_-]){re.escape(host.name)}(?![a-z0-9_-])")
    naming = [path.name for path, text in FILES.items() if named.search(text)]
    assert 0 < len(naming) <= MOST_FILES, naming
