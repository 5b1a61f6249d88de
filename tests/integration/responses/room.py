"""What tests of stored responses have in common: a gateway, who is behind it, and how they are asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai

from tests.conftest import gateway_config
from tests.gateway_process import MASTER_KEY, GatewayProcess, authorization
from tests.raw_http import exchange, request_bytes
from tests.upstreams.vendors.vendor import CREDENTIAL, VendorUpstream

OTHER_KEY = "test-other-key-0123456789"
KEYS = [{"alias": "other", "key": OTHER_KEY}]
SAID = "Hello there, how can I help?"
"""What Claude and Gemini answer."""


@dataclass(frozen=True)
class Upstreams:
    """Who is behind the groups `claude` and `gemini`; behind `echo` is the mock."""

    claude: VendorUpstream
    gemini: VendorUpstream

    def config(self, **sections: Any) -> dict[str, Any]:
        """The configuration of a gateway in front of them, with a second key."""
        return gateway_config(
            _entry("claude", "anthropic/claude-sonnet-4-5", self.claude),
            _entry("gemini", "gemini/gemini-2.5-flash", self.gemini),
            {"model_name": "echo", "litellm_params": {"model": "mock/echo"}},
            **{"keys": KEYS, **sections},
        )

    def forget(self) -> None:
        """Drop what they have seen."""
        self.claude.forget()
        self.gemini.forget()


def _entry(name: str, model: str, upstream: VendorUpstream) -> dict[str, Any]:
    params = {"model": model, "api_base": upstream.root, "api_key": CREDENTIAL}
    return {"model_name": name, "litellm_params": params}


def stored_files(gateway: GatewayProcess) -> list[Path]:
    """The files of the responses that are kept."""
    folder = gateway.home / "state" / "responses"
    return [path for path in folder.glob("*/*") if path.is_file()]


def sdk(gateway: GatewayProcess, key: str = MASTER_KEY, path: str = "/v1") -> openai.OpenAI:
    """OpenAI's SDK, asking once."""
    return openai.OpenAI(base_url=gateway.url + path, api_key=key, max_retries=0, timeout=20)


def request(gateway: GatewayProcess, method: str, path: str, key: str | None = MASTER_KEY) -> Any:
    """A request without a body, on a connection of its own."""
    return exchange(gateway.port, request_bytes(method, path, authorization(key)))


def make(gateway: GatewayProcess, **fields: Any) -> dict[str, Any]:
    """A new response."""
    reply = gateway.post("/v1/responses", {"model": "claude", "input": "Hello", **fields})
    assert reply.status == 200, reply.body
    made: dict[str, Any] = reply.json()
    return made


def status_of(gateway: GatewayProcess, made: dict[str, Any]) -> int:
    """What a look at a response is answered with."""
    return gateway.get(f"/v1/responses/{made['id']}").status
