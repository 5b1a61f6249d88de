"""The exact cache against those of `cachetools`, and its request key against what it replaces."""

from __future__ import annotations

import hashlib
import json
import os

import pytest
from cachetools import LRUCache, TTLCache
from pytest_benchmark.fixture import BenchmarkFixture

from llmgw._native import Cache, request_key

KEYS = [os.urandom(32) for _ in range(1000)]
VALUE = b"v" * 1000
SCOPE = [b"tenant", b"chat_completions", b"gpt-4o"]


def body(size: int) -> bytes:
    text = "The quick brown fox jumps over the lazy dog. " * (size // 45)
    messages = [{"role": "user", "content": text}]
    return json.dumps({"model": "gpt-4o", "messages": messages, "temperature": 0, "max_tokens": 99}).encode()


def test_llmgw_hits(benchmark: BenchmarkFixture) -> None:
    cache = Cache(64 << 20, 60.0)
    for key in KEYS:
        cache.put(key, VALUE)
    assert benchmark(lambda: [cache.get(key) for key in KEYS]) == [VALUE] * 1000


@pytest.mark.parametrize("kind", ["ttl", "lru"])
def test_cachetools_hits(benchmark: BenchmarkFixture, kind: str) -> None:
    cache = cachetools_cache(kind, 64 << 20)
    for key in KEYS:
        cache[key] = VALUE
    assert benchmark(lambda: [cache.get(key) for key in KEYS]) == [VALUE] * 1000


def test_llmgw_puts_that_push_out(benchmark: BenchmarkFixture) -> None:
    cache = Cache(500_000, 60.0)

    def fill() -> None:
        for key in KEYS:
            cache.put(key, VALUE)

    benchmark(fill)


@pytest.mark.parametrize("kind", ["ttl", "lru"])
def test_cachetools_puts_that_push_out(benchmark: BenchmarkFixture, kind: str) -> None:
    cache = cachetools_cache(kind, 500_000)

    def fill() -> None:
        for key in KEYS:
            cache[key] = VALUE

    benchmark(fill)


@pytest.mark.parametrize("size", [1_000, 10_000, 100_000])
def test_llmgw_request_key(benchmark: BenchmarkFixture, size: int) -> None:
    request = body(size)
    assert benchmark(lambda: request_key(SCOPE, request))


@pytest.mark.parametrize("size", [1_000, 10_000, 100_000])
def test_json_and_sha256_request_key(benchmark: BenchmarkFixture, size: int) -> None:
    request = body(size)

    def key() -> bytes:
        canonical = json.dumps(json.loads(request), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(b"\0".join([*SCOPE, canonical.encode()])).digest()

    assert benchmark(key)


def cachetools_cache(kind: str, max_bytes: int) -> LRUCache[bytes, bytes] | TTLCache[bytes, bytes]:
    if kind == "ttl":
        return TTLCache(max_bytes, 60.0, getsizeof=len)
    return LRUCache(max_bytes, getsizeof=len)
