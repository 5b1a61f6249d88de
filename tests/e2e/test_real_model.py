"""The real model behind its own server, without a gateway: what the other tests of this folder stand on."""

import openai
import pytest

from tests.gateway_process import wait_until
from tests.upstreams.real_model import MODEL_NAME, RealModel

pytestmark = pytest.mark.real_model


def test_the_model_answers_directly(real_model: RealModel) -> None:
    with openai.OpenAI(base_url=real_model.base_url, api_key="none") as client:
        reply = client.chat.completions.create(
            model=MODEL_NAME, messages=[{"role": "user", "content": "Say hi"}], max_tokens=4
        )

    assert reply.choices[0].message.content
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 4


def test_a_closed_stream_frees_its_slot(real_model: RealModel) -> None:
    with openai.OpenAI(base_url=real_model.base_url, api_key="none") as client:
        stream = client.chat.completions.create(
            model=MODEL_NAME,
            messages=[{"role": "user", "content": "Tell a story"}],
            max_tokens=300,
            stream=True,
        )
        next(iter(stream))
        assert real_model.busy_slots() == 1
        stream.close()

    wait_until(lambda: real_model.busy_slots() == 0, "the slot is free again")
