"""The providers that the conformance scenarios run against: how each is configured, and what it can do."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from llmgw.model import Operation
from llmgw.providers.compatible import Compatible
from llmgw.providers.hosts import HOSTS
from tests.conftest import deployment
from tests.upstreams.scripted import ScriptedUpstream


class Can(StrEnum):
    """What a provider may be able to do."""

    CHAT = "chat"
    STREAM = "stream"
    USAGE_IN_STREAM = "usage in stream"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    RESPONSES = "responses"
    RESPONSES_STREAM = "responses as a stream"
    MODERATIONS = "moderations"


@dataclass(frozen=True)
class Provider:
    """One provider under test. `entry` makes its `model_list` entry for the group of its own name."""

    name: str
    can: frozenset[Can]
    entry: Callable[[ScriptedUpstream], dict[str, Any]]


def _compatible(upstream: ScriptedUpstream) -> dict[str, Any]:
    return deployment("openai-compatible", upstream.base_url)


def _mock(_: ScriptedUpstream) -> dict[str, Any]:
    return {"model_name": "mock", "litellm_params": {"model": "mock/echo"}}


ABILITIES = {
    # Whoever chats serves the Responses API too: by translation.
    Operation.CHAT_COMPLETIONS: {
        Can.CHAT,
        Can.STREAM,
        Can.USAGE_IN_STREAM,
        Can.RESPONSES,
        Can.RESPONSES_STREAM,
    },
    Operation.COMPLETIONS: {Can.COMPLETIONS},
    Operation.EMBEDDINGS: {Can.EMBEDDINGS},
    Operation.RESPONSES: {Can.RESPONSES, Can.RESPONSES_STREAM},
    Operation.MODERATIONS: {Can.MODERATIONS},
}


def _of_record(host: Compatible) -> Provider:
    """A host as its record says it is, with its address replaced by the upstream's."""
    can = frozenset().union(*(ABILITIES.get(operation, set()) for operation in host.operations))
    return Provider(
        host.name, can, lambda upstream: deployment(host.name, upstream.base_url, f"{host.name}/m")
    )


REPRESENTATIVES = list({(host.operations, host.stream_usage): host for host in HOSTS}.values())
"""Of the records, one for each way in which a host may differ on the wire."""

PROVIDERS = [
    Provider("openai-compatible", frozenset(Can), _compatible),
    Provider("mock", frozenset(Can), _mock),
    *(_of_record(host) for host in REPRESENTATIVES),
]
