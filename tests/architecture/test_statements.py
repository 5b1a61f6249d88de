"""Statements for databases are built by SQLAlchemy alone: none is put together from text."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "python" / "llmgw"
_WORDS = re.compile(
    r"\b(select\s.*\sfrom|insert\s+into|update\s+\S+\s+set|delete\s+from|create\s+(table|index)|alter\s+table)\b",
    re.IGNORECASE | re.DOTALL,
)
_RUNS_TEXT = {"text", "exec_driver_sql", "literal_column", "executescript"}


def _sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(FOLDER.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def _constant(node: ast.AST) -> str:
    """The fixed text in an expression."""
    parts = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
    return " ".join(part for part in parts if isinstance(part, str))


def _is_put_together(node: ast.AST) -> bool:
    """An f-string, a sum or remainder of texts, or `"…".format(…)`."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"


def test_no_statement_is_put_together_from_text() -> None:
    found = [
        f"{path.name}:{node.lineno}"
        for path, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and _is_put_together(node) and _WORDS.search(_constant(node))
    ]
    assert found == []


def test_whatever_runs_text_runs_a_constant() -> None:
    """But for `Transaction.many`, which runs what SQLAlchemy compiled, and what knows no values of others."""
    found = set()
    for path, tree in _sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                runs = node.func.attr in _RUNS_TEXT
                if runs and not isinstance(node.args[0], ast.Constant):
                    found.add(path.relative_to(FOLDER).as_posix())
    assert found == {"store/engine.py", "store/rollups.py", "store/transaction.py"}
