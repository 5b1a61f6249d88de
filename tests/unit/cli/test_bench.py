"""`llmgw bench` passes everything on."""

import sys
from types import ModuleType

import pytest

from llmgw.cli import run


@pytest.mark.parametrize(
    "arguments", [[], ["--quick", "--rounds", "3"], ["--help"], ["--version", "-x", "a"]]
)
def test_arguments_reach_the_benchmark_as_they_are(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def main(given: list[str]) -> int:
        seen.append(given)
        return 7

    fake = ModuleType("llmgw.bench")
    fake.__dict__["main"] = main
    monkeypatch.setitem(sys.modules, "llmgw.bench", fake)
    assert run(["bench", *arguments]) == 7
    assert seen == [arguments]
