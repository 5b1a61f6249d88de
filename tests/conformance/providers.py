"""The providers that the conformance scenarios run against: how each is configured, and what it can do."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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


PROVIDERS = [
    Provider("openai-compatible", frozenset(Can), _compatible),
    Provider("mock", frozenset(Can), _mock),
]
