"""The words that every floor shares: operations, and the three things that are all called "model"."""

from enum import StrEnum
from typing import NewType

RequestedModel = NewType("RequestedModel", str)
"""The client's word: `gpt-4o`, `team/fast`, whatever the configuration publishes."""

RoutedModel = NewType("RoutedModel", str)
"""What is sent upstream: `gpt-4o-2024-11-20`. May hold one `*` for what a wildcard matched."""

ReportedModel = NewType("ReportedModel", str)
"""What the upstream says that it used."""


class Operation(StrEnum):
    """What an endpoint does, by the names of the OpenAI endpoints."""

    CHAT_COMPLETIONS = "chat_completions"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    RESPONSES = "responses"
    MODERATIONS = "moderations"

    @property
    def path(self) -> str:
        """The path below an OpenAI base URL, as `/chat/completions`."""
        return "/" + self.value.replace("_", "/")
