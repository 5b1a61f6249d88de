"""Servers on one's own machine or in one's own network; they need no key.

Newer ones have Anthropic's Messages too, made from their chat completions, and lose on the way what
those could say: a schema for the reply, that it ended at a stop sequence. Messages are therefore
translated here, and only counted there. Who wants such a server's own Messages writes `anthropic/MODEL`
with its `api_base`.
"""

from llmgw.model import Operation
from llmgw.providers.compatible import CHAT_COMPLETIONS, CLASSIC, EVERYTHING, TRANSCRIPTS, Compatible

LOCAL: tuple[Compatible, ...] = (
    Compatible(
        name="docker_model_runner",
        base_url="http://localhost:12434/engines/v1",
        operations=CLASSIC,
        needs_key=False,
        default_path="/engines/v1",
    ),
    Compatible(
        name="gpt4all",
        base_url="http://localhost:4891/v1",
        operations=CHAT_COMPLETIONS,
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="infinity",
        base_url="http://localhost:7997",
        base_variables=("INFINITY_API_BASE",),
        key_variables=("INFINITY_API_KEY",),
        operations=frozenset({Operation.EMBEDDINGS}),
        needs_key=False,
    ),
    Compatible(
        name="jan",
        base_url="http://localhost:1337/v1",
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="koboldcpp",
        base_url="http://localhost:5001/v1",
        operations=CHAT_COMPLETIONS,
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="lemonade",
        base_url="http://localhost:8000/api/v1",
        base_variables=("LEMONADE_API_BASE",),
        key_variables=("LEMONADE_API_KEY",),
        operations=CLASSIC,
        needs_key=False,
        default_path="/api/v1",
    ),
    Compatible(
        name="litellm_proxy",
        base_url="http://localhost:4000/v1",
        base_variables=("LITELLM_PROXY_API_BASE",),
        key_variables=("LITELLM_PROXY_API_KEY",),
        operations=EVERYTHING,
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="llamacpp",
        aliases=("llama_cpp", "llamafile"),
        base_url="http://localhost:8080/v1",
        operations=CLASSIC | {Operation.RERANK, Operation.COUNT_MESSAGE_TOKENS},
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="lm_studio",
        base_url="http://localhost:1234/v1",
        base_variables=("LM_STUDIO_API_BASE",),
        key_variables=("LM_STUDIO_API_KEY",),
        operations=CLASSIC | {Operation.RESPONSES},
        needs_key=False,
        default_path="/v1",
        takes_urls=False,
    ),
    Compatible(
        name="lmdeploy",
        base_url="http://localhost:23333/v1",
        operations=CHAT_COMPLETIONS,
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="localai",
        base_url="http://localhost:8080/v1",
        operations=CLASSIC,
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="ollama",
        aliases=("ollama_chat",),
        base_url="http://localhost:11434/v1",
        base_variables=("OLLAMA_API_BASE",),
        key_variables=("OLLAMA_API_KEY",),
        operations=CLASSIC,
        needs_key=False,
        default_path="/v1",
        takes_urls=False,
    ),
    Compatible(
        name="oobabooga",
        aliases=("text_generation_webui",),
        base_url="http://localhost:5000/v1",
        operations=CLASSIC,
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="sglang",
        base_url="http://localhost:30000/v1",
        operations=CLASSIC,
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="tgi",
        aliases=("text_generation_inference",),
        operations=CHAT_COMPLETIONS,
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="vllm",
        aliases=("hosted_vllm",),
        base_variables=("HOSTED_VLLM_API_BASE",),
        key_variables=("HOSTED_VLLM_API_KEY",),
        operations=CLASSIC
        | TRANSCRIPTS
        | {Operation.RESPONSES, Operation.RERANK, Operation.COUNT_MESSAGE_TOKENS},
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="xinference",
        base_url="http://localhost:9997/v1",
        base_variables=("XINFERENCE_API_BASE",),
        key_variables=("XINFERENCE_API_KEY",),
        operations=CLASSIC,
        needs_key=False,
        default_path="/v1",
    ),
)
"""By name."""
