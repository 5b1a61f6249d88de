"""The tables made of a run."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from llmgw.bench import report
from llmgw.bench import results as files
from tests.unit.bench.made import costs, outcome, results, sample


def test_a_table_has_cost_capacity_and_the_share_of_nginx() -> None:
    page = report.render(results(costs([10, 10, 10], [20, 20, 20])))
    assert "| nginx-proxy | 10.0 ± 0.0 | 100,000 ± 0 | 100 % |" in page
    assert "| llmgw-plain | 20.0 ± 0.0 | 50,000 ± 0 | 50 % (50–50) |" in page
    assert "| llmgw-plain | 10 | 20 |" in page


def test_latency_is_given_as_what_is_added_to_the_direct_way() -> None:
    rounds = [{"direct": sample(None, 0.001), "llmgw-plain": sample(10, 0.0015)}] * 2
    page = report.render(results(outcome(rounds, "latency")))
    assert "| direct | 1,000 ± 0 | 1,000 ± 0 | – | – | – |" in page
    assert "| llmgw-plain | 1,500 ± 0 | 1,500 ± 0 | 500 ± 0 | 500 ± 0 | 10.0 ± 0.0 |" in page


def test_memory_per_stream_is_the_growth_shared_by_the_streams() -> None:
    rounds = [{"nginx-stream": sample(10), "llmgw-plain": sample(10)}]
    page = report.render(results(outcome(rounds, "crowd")))
    assert "| 4.0 ± 0.0 |" in page


def test_a_scenario_that_ended_early_says_why() -> None:
    failed = msgspec.structs.replace(costs([10], [20]), failure="made: errors")
    run = results(failed)
    assert run.failures == ["made: errors"]
    assert "**Ended early:** made: errors" in report.render(run)


def test_a_page_is_replaced_between_its_marks_alone(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_into(page, r"new \1")
    assert page.read_text() == f"before\n{report.BEGIN}\n\nnew \\1\n\n{report.END}\nafter\n"


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("nothing here")
    with pytest.raises(ValueError, match="has no lines"):
        report.write_into(page, "new")


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    run = results(costs([10, 11], [20, 21]))
    assert files.read(files.write(run, tmp_path / "out")) == run
