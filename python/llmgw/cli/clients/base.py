"""What a client is: files of its own that say where models are, and what a file cannot say."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from llmgw.settings.secrets import Secret

KEY_VARIABLE = "LLMGW_API_KEY"
"""Where clients that take their key from the environment look for it."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How a client reaches the gateway."""

    url: str
    """The gateway's root, without a slash at its end."""
    key: Secret | None
    models: tuple[str, ...] = ()
    """Names to use, the first by default; without any, the client's own."""

    @property
    def openai_base(self) -> str:
        """What clients of the OpenAI API are told."""
        return f"{self.url}/v1"


class Edit(msgspec.Struct, frozen=True):
    """A change of one file."""

    path: Path
    merge: Callable[[str], str]
    """From what stands in the file (nothing, if there is none) to what should.

    Raises `MergeError` if the two cannot be brought together.
    """


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """One client."""

    name: str
    title: str
    edits: Callable[[Access, Mapping[str, str], Path], tuple[Edit, ...]]
    """Its changes, by access, environment and home folder."""
    notes: Callable[[Access], tuple[str, ...]]
    """What is left to do by hand."""
    keeps_key: bool = True
    """Its files hold the key, so that there has to be one."""
