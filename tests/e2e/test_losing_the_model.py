"""The model's server dies in the middle of a stream and comes back: the client is told, then served again."""

import openai
import pytest

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import MASTER_KEY, GatewayProcess
from tests.upstreams.real_model import MODEL_NAME, RealModel
from tests.upstreams.replies import CHAT_BODY
from tests.upstreams.scripted import ScriptedUpstream

pytestmark = pytest.mark.real_model


def sdk(gateway: GatewayProcess) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=MASTER_KEY, max_retries=0, timeout=90)


def long_stream(client: openai.OpenAI) -> openai.Stream[openai.types.chat.ChatCompletionChunk]:
    return client.chat.completions.create(
        model=MODEL_NAME,
        messages=[{"role": "user", "content": "Tell a long story."}],
        max_tokens=400,
        stream=True,
        extra_body={"ignore_eos": True},
    )


def test_a_model_killed_in_the_middle_of_a_stream_raises_in_the_client_and_serves_again_after_a_restart(
    start_gateway: StartGateway,
) -> None:
    with RealModel() as model:
        config = gateway_config(deployment(MODEL_NAME, model.base_url, f"openai/{MODEL_NAME}"))
        gateway = start_gateway(config)
        with sdk(gateway) as client:
            stream = long_stream(client)
            next(iter(stream))
            model.kill()
            with pytest.raises(openai.APIError):
                list(stream)

            with pytest.raises(openai.APIStatusError) as caught:
                long_stream(client)
            assert caught.value.status_code in {502, 503}

            model.start()
            assert next(iter(long_stream(client))).choices


def test_a_dead_model_is_replaced_by_its_fallback(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    with RealModel() as model:
        config = gateway_config(
            deployment(MODEL_NAME, model.base_url, f"openai/{MODEL_NAME}"),
            deployment("spare", upstream.base_url),
            router_settings={"num_retries": 1, "fallbacks": [{MODEL_NAME: ["spare"]}]},
        )
        gateway = start_gateway(config)
        model.kill()

        assert gateway.chat(MODEL_NAME).body == CHAT_BODY
