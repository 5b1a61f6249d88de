"""The exact cache and its request key as Python calls them."""

from __future__ import annotations

import json
import os
import threading
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmgw._native import Cache, request_key

KEY = bytes(range(32))
SCOPE = [b"tenant"]

text = st.text(st.characters(codec="utf-8"))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)
names = st.text(st.characters(codec="utf-8", exclude_characters='\\"', min_codepoint=32), max_size=8)
requests = st.dictionaries(names, values, max_size=6)

# The machine may be busy: how long an example takes says nothing about the code.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def dump(request: object, indent: str | None = None, separators: tuple[str, str] | None = None) -> bytes:
    return json.dumps(request, ensure_ascii=False, indent=indent, separators=separators).encode()


@unhurried
@given(requests, st.randoms(use_true_random=False))
def test_neither_layout_nor_order_of_members_changes_the_key(
    request_: dict[str, object], random: Random
) -> None:
    members = list(request_.items())
    random.shuffle(members)
    key = request_key(SCOPE, dump(request_, separators=(",", ":")))
    assert key is not None
    assert key == request_key(SCOPE, dump(dict(members)))
    assert key == request_key(SCOPE, dump(dict(members), indent="\t"))


@unhurried
@given(requests, requests)
def test_two_requests_share_a_key_only_when_they_say_the_same(
    one: dict[str, object], two: dict[str, object]
) -> None:
    both = (one, two)
    said = [sorted((name, json.dumps(value)) for name, value in request_.items()) for request_ in both]
    keys = [request_key(SCOPE, dump(request_)) for request_ in both]
    assert (keys[0] == keys[1]) == (said[0] == said[1])


@unhurried
@given(
    st.binary(max_size=60) | st.text(alphabet='{}[]",:\\truefalsn0123.eE+- \n', max_size=40).map(str.encode)
)
def test_only_json_objects_have_a_key(body: bytes) -> None:
    if request_key(SCOPE, body) is not None:
        assert isinstance(json.loads(body), dict)


def test_the_same_request_of_another_tenant_has_another_key() -> None:
    body = b'{"model":"m"}'
    assert request_key([b"a"], body) != request_key([b"b"], body)
    assert request_key([b"a", b"b"], body) != request_key([b"ab"], body)


def test_a_large_body_has_the_same_key_in_either_layout() -> None:
    request_ = {"messages": [{"content": "hello " * 10_000}] * 5, "model": "m"}
    assert request_key(SCOPE, dump(request_)) == request_key(SCOPE, dump(request_, separators=(",", ":")))


def test_what_was_put_is_got() -> None:
    cache = Cache(1 << 20, 60.0)
    assert cache.get(KEY) is None
    assert cache.put(KEY, b"value")
    assert cache.get(KEY) == b"value"
    cache.clear()
    assert (cache.get(KEY), len(cache), cache.held_bytes) == (None, 0, 0)


def test_a_lifetime_of_zero_keeps_nothing() -> None:
    cache = Cache(1 << 20, 0.0)
    cache.put(KEY, b"value")
    assert cache.get(KEY) is None


def test_the_bound_in_bytes_holds_whatever_is_put() -> None:
    cache = Cache(100_000, 60.0)
    for size in range(0, 200_000, 777):
        assert cache.put(os.urandom(32), b"x" * size) == (cache.held_bytes > size)
        assert cache.held_bytes <= 100_000


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="not 32"):
        Cache(1 << 20, 60.0).get(b"k" * length)


@pytest.mark.parametrize("ttl", [-1.0, float("nan")])
def test_a_lifetime_that_is_none_is_refused(ttl: float) -> None:
    with pytest.raises(ValueError, match="no lifetime"):
        Cache(1 << 20, ttl)


def test_threads_may_share_a_cache() -> None:
    cache = Cache(50_000, 60.0)
    keys = [os.urandom(32) for _ in range(100)]
    wrong: list[bytes] = []

    def use() -> None:
        for _ in range(50):
            for key in keys:
                found = cache.get(key)
                if found is None:
                    cache.put(key, key * 20)
                elif found != key * 20:
                    wrong.append(found)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert cache.held_bytes <= 50_000
