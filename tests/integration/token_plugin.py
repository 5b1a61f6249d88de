"""A plugin with a provider whose credential expires: what a file holds, for as long as it says.

`token_file` is a JSON file `{"token": "…", "seconds": 5}`; without it, there is no token to be had. The
tests install this module for the gateways that they start.
"""

import json
import time
from pathlib import Path
from typing import Any

import msgspec

from llmgw.model import Operation
from llmgw.plugins import Registries
from llmgw.providers.base import Target, Upstream
from llmgw.providers.leases import Lease, LeaseError, Leases
from llmgw.settings.environment import Environment

ENTRY_POINT = f"[llmgw.plugins]\ntokens = {__name__}:register\n"


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """A host that speaks the OpenAI dialect and takes tokens; its credential is the name of their file."""

    leases: Leases = msgspec.field(default_factory=Leases)
    name: str = "tokens"
    aliases: tuple[str, ...] = ()
    key_variables: tuple[str, ...] = ()
    typical_model: str = ""

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and headers for a deployment."""
        file = environment["TOKEN_FILE"]
        held = self.leases.get(file, lambda: _fetch(Path(file)))
        shown = () if held.value is None else (("authorization", f"Bearer {held.value}"),)
        return Upstream(
            model=target.model,
            urls={Operation.CHAT_COMPLETIONS: f"{target.api_base}/chat/completions"},
            headers=(),
            token_headers=shown,
            renew_at=held.renew_at,
            credential_problem=held.problem,
        )


def _fetch(file: Path) -> Lease[str]:
    try:
        said: dict[str, Any] = json.loads(file.read_text())
    except OSError as error:
        raise LeaseError(f"no token: {error.strerror}") from error
    return Lease(said["token"], time.time() + said["seconds"])


def register(registries: Registries) -> None:
    """Add the provider."""
    registries.providers.add(Tokens())
