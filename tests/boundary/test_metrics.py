"""The machine's metrics as Python reads them, and as processes share them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from llmgw._native import Metrics

LINE = re.compile(
    r'(?P<name>[a-z_]+)(?:\{(?P<labels>[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*)\})?'
    r" (?P<value>[0-9.]+)"
)

RECORD = """
import sys
from llmgw._native import Metrics

worker = Metrics(sys.argv[1]).worker(int(sys.argv[2]))
for number in range(2000):
    worker.record("/v1/chat/completions", f"model-{number % 50}", "team", 200, 1000)
"""

HOLD = """
import sys, time
from llmgw._native import Metrics

worker = Metrics(sys.argv[1]).worker(int(sys.argv[2]))
for _ in range(5):
    worker.enter()
print("held", flush=True)
time.sleep(3600)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "llmgw.shm"


def values(text: str, name: str) -> list[float]:
    return [float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(rf"{name}[ {{]", line)]


def test_every_line_is_in_the_exposition_format() -> None:
    metrics = Metrics()
    metrics.worker(0).record('/v1/"x"\n', "back\\slash", "kéy", 200, 12_345_678)
    lines = metrics.render().splitlines()
    assert [line for line in lines if not line.startswith("#") and not LINE.fullmatch(line)] == []
    assert any("back\\\\slash" in line for line in lines)


def test_the_metrics_promised_are_all_there() -> None:
    text = Metrics().render()
    promised = [
        "llmgw_requests_total",
        "llmgw_request_duration_seconds",
        "llmgw_upstream_duration_seconds",
        "llmgw_overhead_seconds",
        "llmgw_time_to_first_token_seconds",
        "llmgw_tokens_total",
        "llmgw_cache_requests_total",
        "llmgw_ratelimited_total",
        "llmgw_guardrail_requests_total",
        "llmgw_deployment_cooldowns_total",
        "llmgw_fallbacks_total",
        "llmgw_retries_total",
        "llmgw_in_flight_requests",
        "llmgw_config_last_reload_successful",
        "llmgw_build_info",
        "llmgw_client_disconnects_total",
        "llmgw_connections",
        "llmgw_realtime_sessions",
    ]
    assert [name for name in promised if f"# TYPE {name} " not in text] == []


def test_a_scrape_shows_what_all_processes_recorded(path: Path) -> None:
    metrics = Metrics(path)
    children = [
        subprocess.Popen([sys.executable, "-c", RECORD, str(path), str(worker)]) for worker in range(4)
    ]
    assert [child.wait() for child in children] == [0] * 4
    text = metrics.render()
    assert values(text, "llmgw_requests_total") == [160.0] * 50
    assert sum(values(text, "llmgw_request_duration_seconds_count")) == 8000
    assert sum(values(text, "llmgw_request_duration_seconds_sum")) == pytest.approx(0.008)


def test_requests_in_the_hands_of_a_killed_worker_are_not_in_flight(path: Path) -> None:
    metrics = Metrics(path)
    metrics.worker(0).enter()
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path), "1"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        assert values(metrics.render(), "llmgw_in_flight_requests") == [6.0]
        child.kill()
    assert values(metrics.render(), "llmgw_in_flight_requests") == [1.0]


def test_a_worker_that_replaces_a_killed_one_starts_with_nothing_in_hand(path: Path) -> None:
    metrics = Metrics(path)
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path), "1"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.kill()
    metrics.worker(1).enter()
    assert values(metrics.render(), "llmgw_in_flight_requests") == [1.0]
