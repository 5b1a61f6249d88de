"""The mock provider."""

import pytest

from llmgw.model import Operation
from llmgw.providers.base import Target, TargetError
from llmgw.providers.compatible import AUDIO, BATCHES, EVERYTHING, IMAGES
from llmgw.providers.mock import Mock
from llmgw.settings.environment import Environment

NOTHING = Environment({})


def test_the_script_travels_in_a_header() -> None:
    upstream = Mock().connect(Target(model="echo?delay_ms=200&chunks=64"), NOTHING)
    assert upstream.model == "echo"
    assert upstream.headers == (("x-mock-script", "delay_ms=200&chunks=64"),)


def test_without_a_script_there_is_no_header() -> None:
    assert Mock().connect(Target(model="echo"), NOTHING).headers == ()


def test_it_serves_its_operations_without_an_address() -> None:
    urls = Mock().connect(Target(model="*"), NOTHING).urls
    assert set(urls) == EVERYTHING | IMAGES | AUDIO | BATCHES | {Operation.RERANK}
    assert urls[Operation.CHAT_COMPLETIONS] == "mock:///v1/chat/completions"


@pytest.mark.parametrize("script", ["delay_ms", "delay_ms=1\r\nx: y", "=1", "a=1&&b=2", "A b=1"])
def test_a_script_that_is_none_is_refused(script: str) -> None:
    with pytest.raises(TargetError, match="expected mock/name"):
        Mock().connect(Target(model=f"echo?{script}"), NOTHING)
