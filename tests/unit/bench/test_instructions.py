"""The gate on instruction counts."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "bench" / "instructions.py"


@pytest.fixture(scope="module")
def instructions() -> ModuleType:
    spec = importlib.util.spec_from_file_location("instructions", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("count", "status"), [(1000, 0), (1020, 0), (1021, 1), (500, 0)])
def test_a_count_may_exceed_its_reference_by_the_tolerance(
    instructions: ModuleType, count: int, status: int
) -> None:
    assert instructions.report({"hot": count}, {"hot": 1000}) == status


def test_a_function_without_reference_is_named_and_passes(
    instructions: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert instructions.report({"hot": 5}, {}) == 0
    assert "new" in capsys.readouterr().out
