"""What commands print: JSON for scripts, tables for people."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec


def print_json(value: Any) -> None:
    """One JSON document, indented."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.write(text.decode() + "\n")


def counted(number: int, thing: str) -> str:
    """`1 key`, `2 keys`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table as wide as the terminal, or a line a row if nobody looks; colours unless NO_COLOR is set."""
    from rich.console import Console  # noqa: PLC0415 - large, and not every command prints a table
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    seen = sys.stdout.isatty()
    Console(soft_wrap=not seen, width=None if seen else _UNBOUNDED).print(table)


_UNBOUNDED = 10_000
"""Columns of a terminal that is none."""
_STYLES = {"✓": "green", "!": "yellow", "✗": "bold red"}
