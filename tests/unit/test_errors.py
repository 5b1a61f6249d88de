"""The tree of errors and its rendering."""

import json

import pytest

from llmgw.errors import TABLE, GatewayError, InvalidRequest, RateLimited, encode_openai


def test_the_table_lists_every_class_once() -> None:
    assert set(TABLE) == set(GatewayError.__subclasses__())
    assert len(TABLE) == len(set(TABLE))


@pytest.mark.parametrize("kind", TABLE)
def test_every_class_renders_in_the_openai_dialect(kind: type[GatewayError]) -> None:
    body = json.loads(encode_openai(kind("what was wrong", param="model")))
    assert body == {
        "error": {"message": "what was wrong", "type": kind.type, "param": "model", "code": kind.code}
    }


def test_all_four_fields_are_sent_even_without_a_parameter() -> None:
    assert json.loads(encode_openai(InvalidRequest("no")))["error"]["param"] is None


def test_an_error_carries_when_to_come_back() -> None:
    assert RateLimited("slow down", retry_after=1.5).retry_after == 1.5
