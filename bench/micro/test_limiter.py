"""The rate limiter against the in-memory limiter of `limits`, the usual choice in Python."""

from __future__ import annotations

from pathlib import Path

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
from pytest_benchmark.fixture import BenchmarkFixture

from llmgw._native import Limiter

KEYS = [f"key-{number}" for number in range(100)]
LIMIT = parse("1000000/minute")


def test_llmgw_shared_by_all_processes(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    limiter = Limiter(tmp_path / "llmgw.shm")

    def use() -> None:
        for key in KEYS:
            limiter.acquire(key, 1, 1_000_000, 60.0)

    benchmark(use)


def test_limits_moving_window_of_one_process(benchmark: BenchmarkFixture) -> None:
    limiter = MovingWindowRateLimiter(MemoryStorage())

    def use() -> None:
        for key in KEYS:
            limiter.hit(LIMIT, key)

    benchmark(use)


def test_limits_fixed_window_of_one_process(benchmark: BenchmarkFixture) -> None:
    limiter = FixedWindowRateLimiter(MemoryStorage())

    def use() -> None:
        for key in KEYS:
            limiter.hit(LIMIT, key)

    benchmark(use)
