"""Writes docs/differential.md from the table of differences; `--check` only compares."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a program, it finds the tests' table all the same

from tests.differential.differences import Entry, table  # noqa: E402

PAGE = ROOT / "docs" / "differential.md"

INTRODUCTION = """\
# Beside LiteLLM

`make differential` gives every conversation of `tests/fixtures` that an OpenAI client can express to llmgw
and to LiteLLM, for an upstream of each other dialect, and compares what the upstream gets; then every
recorded reply, and compares what the client sees. Each difference is one of these; another one fails the
check, as does a row without a difference. Where a vendor is said to refuse something, the scripted upstream
of the tests does.

*This page is written by `scripts/differential_doc.py` from `tests/differential/differences.yaml`.*
"""
COLUMNS = ("| upstream | where | right | why |", "|---|---|---|---|")
HEADS = {"request": "## What upstreams get", "reply": "## What clients see"}
VENDORS = {
    "anthropic_messages": "Anthropic",
    "gemini_generate": "Gemini",
    "bedrock_converse": "Bedrock",
    "cohere_chat": "Cohere",
}


def main() -> int:
    """Write the page, or with `--check` tell whether it is up to date."""
    page = render(table())
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.read_text(encoding="utf-8") == page else 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


def render(entries: list[Entry]) -> str:
    """The page."""
    parts = [INTRODUCTION]
    for about, head in HEADS.items():
        rows = [row(entry) for entry in entries if entry.about == about]
        parts.append("\n".join([head, "", *COLUMNS, *rows, ""]))
    return "\n".join(parts)


def row(entry: Entry) -> str:
    """One explanation."""
    vendors = ", ".join(VENDORS[wire] for wire in entry.wires)
    where = ", ".join(f"`{each}`" for each in (entry.cases if entry.cases != ["*"] else entry.paths))
    return f"| {vendors} | {where} | {entry.right} | {entry.why} |"


if __name__ == "__main__":
    sys.exit(main())
