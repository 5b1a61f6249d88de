"""The tools of the recorded agents: they read, run and write in the workspace for real."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

ADDED = re.compile(r"\*\*\* Begin Patch\n\*\*\* Add File: (\S+)\n((?:\+.*\n)*)\*\*\* End Patch\n")

Tool = Callable[[Path, dict[str, Any]], str]


def run(folder: Path, command: str) -> str:
    """What a shell command says."""
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def read(_folder: Path, arguments: dict[str, Any]) -> str:
    """What stands in a file."""
    return Path(arguments["file_path"]).read_text()


def write(_folder: Path, arguments: dict[str, Any]) -> str:
    """Writes a file."""
    Path(arguments["file_path"]).write_text(arguments["content"])
    return "File created"


def patch(folder: Path, text: str) -> str:
    """Adds the file of a patch that adds one."""
    found = ADDED.fullmatch(text)
    assert found is not None, f"not the patch that the model wrote: {text!r}"
    lines = found[2].splitlines(keepends=True)
    (folder / found[1]).write_text("".join(line.removeprefix("+") for line in lines))
    return "Success"
