"""What a test lets a model say, in the words of each vendor's stream."""

from collections.abc import Callable, Iterator

from tests.upstreams.speech import (
    anthropic_messages,
    bedrock_converse,
    cohere_chat,
    gemini_generate,
    openai_chat,
    openai_responses,
)
from tests.upstreams.speech.turn import Call, Turn

STREAMS: dict[str, Callable[[Turn, int], Iterator[bytes]]] = {
    "openai_chat": openai_chat.stream,
    "openai_responses": openai_responses.stream,
    "anthropic_messages": anthropic_messages.stream,
    "gemini_generate": gemini_generate.stream,
    "bedrock_converse": bedrock_converse.stream,
    "cohere_chat": cohere_chat.stream,
}
"""By the format's name: the pieces of the answer with this number."""

__all__ = ["STREAMS", "Call", "Turn"]
