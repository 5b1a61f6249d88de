"""The requests the benchmark sends."""

from __future__ import annotations

import json

import pytest

from llmgw._native import LOAD_STAMP_DIGITS
from llmgw.bench.requests import chat, text


@pytest.mark.parametrize("size", [400, 1000, 100_000])
def test_a_body_has_exactly_the_size_asked_for(size: int) -> None:
    head, _, body = chat("m", size, "k", streamed=True, repeat=True).data.partition(b"\r\n\r\n")
    assert len(body) == size
    assert f"content-length: {size}".encode() in head
    assert json.loads(body)["stream"] is True


def test_the_stamp_lies_in_the_users_words() -> None:
    request = chat("m", 1000, "k", streamed=False, repeat=False)
    assert request.stamp is not None
    stamped = bytearray(request.data)
    stamped[request.stamp : request.stamp + LOAD_STAMP_DIGITS] = b"7" * LOAD_STAMP_DIGITS
    words = json.loads(bytes(stamped).partition(b"\r\n\r\n")[2])["messages"][-1]["content"]
    assert words.startswith("Ticket " + "7" * LOAD_STAMP_DIGITS)


def test_a_request_that_repeats_has_no_stamp() -> None:
    assert chat("m", 1000, "k", streamed=False, repeat=True).stamp is None


def test_a_body_too_small_for_a_chat_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        chat("m", 10, "k", streamed=False, repeat=False)


def test_text_is_words_and_always_the_same() -> None:
    assert text(500) == text(500)
    assert text(500).count(" ") > 50
