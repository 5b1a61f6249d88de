"""Writes docs/providers.md from the list of providers; `--check` only compares."""

import inspect
import sys
from collections.abc import Iterable
from pathlib import Path

from llmgw.providers import NOT_SERVED, providers
from llmgw.providers.base import Provider
from llmgw.providers.compatible import Compatible

TARGET = Path(__file__).parent.parent / "docs" / "providers.md"

INTRODUCTION = """\
# Providers

A model is named `prefix/model`, as in `groq/llama-3.3-70b-versatile`. The credential is `api_key`, or the
first variable of its row that is set. The address is `api_base`, or what a variable in its row says, or the
one in its row; `{NAME}` in it stands for the variable of that name. A host that is not listed, and speaks the
OpenAI dialect, is reached as `openai/model` with an `api_base`.

Another host is a record in `python/llmgw/providers/hosts/`, as [architecture.md](architecture.md) says.

*This page is written by `scripts/providers_doc.py` from these records.*
"""

OWN = """\
## With a way of their own
"""

COMPATIBLE = """\
## That speak the OpenAI dialect
"""

LEFT_OUT = """\
## Known from LiteLLM, not served yet

A deployment with one of these prefixes is left out with a warning.
"""


def main() -> int:
    """Write the page, or with `--check` tell whether it is up to date."""
    page = render()
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.read_text(encoding="utf-8") == page else 1
    TARGET.write_text(page, encoding="utf-8")
    return 0


def render() -> str:
    """The page."""
    known = sorted(providers(), key=lambda provider: provider.name)
    hosts = [one for one in known if isinstance(one, Compatible)]
    others = [one for one in known if not isinstance(one, Compatible)]
    parts = [
        INTRODUCTION,
        OWN,
        _table(("prefixes", "key", "what it is"), [_own_row(one) for one in others]),
        f"{COMPATIBLE}\n{len(hosts)} hosts.\n",
        _table(("prefixes", "address", "key", "serves"), [_row(host) for host in hosts]),
        LEFT_OUT,
        f"{_words(sorted(NOT_SERVED))}.\n",
    ]
    return "\n".join(parts)


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return (
        "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
        + "\n"
    )


def _own_row(provider: Provider) -> tuple[str, ...]:
    summary = inspect.cleandoc(type(provider).__doc__ or "").partition("\n\n")[0].replace("\n", " ")
    return _prefixes(provider), _words(provider.key_variables), summary


def _row(host: Compatible) -> tuple[str, ...]:
    address = _words(address for address in (host.base_url, *host.base_variables) if address)
    serves = ", ".join(operation.value.replace("_", " ") for operation in sorted(host.operations))
    return _prefixes(host), address or "`api_base`", _words(host.key_variables), serves


def _prefixes(provider: Provider) -> str:
    return _words((provider.name, *provider.aliases))


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    sys.exit(main())
