"""The built-in mock provider: answers in process, so that a first call needs no credential.

`mock/echo?delay_ms=200&chunks=64` is the model `echo` with a script. The script travels in the
header `x-mock-script`; the native core serves the scheme `mock:`.
"""

import re

import msgspec

from llmgw.model import Operation
from llmgw.providers.base import Header, Target, TargetError, Upstream
from llmgw.providers.compatible import AUDIO, BATCHES, EVERYTHING, IMAGES
from llmgw.settings.environment import Environment

_SERVED = EVERYTHING | IMAGES | AUDIO | BATCHES | {Operation.RERANK}
_SCRIPT = re.compile(r"[a-z_]+=[A-Za-z0-9._-]+(&[a-z_]+=[A-Za-z0-9._-]+)*")


class Mock(msgspec.Struct, frozen=True, kw_only=True):
    """The mock provider."""

    name: str = "mock"
    aliases: tuple[str, ...] = ()
    key_variables: tuple[str, ...] = ()
    typical_model: str = ""

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and the script for a deployment; see `Provider.connect`."""
        model, _, script = target.model.partition("?")
        if script and not _SCRIPT.fullmatch(script):
            raise TargetError("model", "expected mock/name?option=value&option=value")
        headers: tuple[Header, ...] = (("x-mock-script", script),) if script else ()
        return Upstream(
            model=model,
            urls={operation: f"mock:///v1{operation.path}" for operation in sorted(_SERVED)},
            headers=headers,
            stream_usage=True,
        )
