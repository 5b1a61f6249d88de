"""The same chat given to llmgw and to the peer, and what an upstream gets and a client sees of each."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import KEYS_ENVIRONMENT, gateway_config
from tests.differential import normal
from tests.differential.differences import Difference, compare
from tests.e2e.dialects.conftest import PARAMS, VENDORS, entry
from tests.gateway_process import GatewayProcess
from tests.upstreams.replies import reply
from tests.upstreams.vendors import fixtures
from tests.upstreams.vendors.vendor import VendorUpstream

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("LLMGW_PEER_PYTHON", ROOT / ".make" / "differential" / "bin" / "python"))
WIRES = ("anthropic_messages", "gemini_generate", "bedrock_converse", "cohere_chat")
REFUSED = "refused"
HELLO = {"messages": [{"role": "user", "content": "Say hello."}]}
# LiteLLM's names for what the gateway's configuration calls the same.
PREFIXES = {"bedrock_converse": "bedrock/converse/", "cohere_chat": "cohere_chat/v2/"}


@dataclass(frozen=True)
class Outcome:
    """What one side made of a chat: what the upstream got, and what the client sees."""

    sent: Any
    seen: Any


class Sides:
    """Both, in front of one upstream of each vendor."""

    def __init__(
        self, gateway: GatewayProcess, peer: "subprocess.Popen[str]", upstreams: dict[str, VendorUpstream]
    ) -> None:
        self._gateway = gateway
        self._peer = peer
        self._upstreams = upstreams

    def requests(self, wire: str, case: str, body: dict[str, Any]) -> list[Difference]:
        """Where the requests differ that an upstream gets for a chat completion."""
        plain = {name: each for name, each in body.items() if name not in normal.ENVELOPE}
        ours, theirs = (_request(wire, one) for one in self._both(wire, plain))
        return [Difference("request", wire, case, *each) for each in compare(ours, theirs)]

    def replies(self, wire: str, case: str) -> list[Difference]:
        """Where the completions differ that a client sees for a recorded reply."""
        self._upstreams[wire].always(reply(fixtures.reply_body(wire, case)))
        ours, theirs = (_reply(one) for one in self._both(wire, HELLO))
        return [Difference("reply", wire, case, *each) for each in compare(ours, theirs)]

    def _both(self, wire: str, body: dict[str, Any]) -> tuple[Outcome, Outcome]:
        return self._ask(wire, lambda: self._ours(wire, body)), self._ask(
            wire, lambda: self._theirs(wire, body)
        )

    def _ask(self, wire: str, ask: Any) -> Outcome:
        upstream = self._upstreams[wire]
        upstream.requests.clear()
        seen = ask()
        sent = upstream.requests[-1].json() if upstream.requests else REFUSED
        return Outcome(sent, seen)

    def _ours(self, wire: str, body: dict[str, Any]) -> Any:
        answer = self._gateway.post("/v1/chat/completions", {**body, "model": wire})
        return answer.json() if answer.status == 200 else REFUSED

    def _theirs(self, wire: str, body: dict[str, Any]) -> Any:
        provider, _, model = PARAMS[wire]["model"].partition("/")
        params = {**PARAMS[wire], "model": PREFIXES.get(wire, f"{provider}/") + model}
        job = {"wire": wire, "root": self._upstreams[wire].root, "params": params, "body": body}
        assert self._peer.stdin and self._peer.stdout
        self._peer.stdin.write(json.dumps(job) + "\n")
        self._peer.stdin.flush()
        return json.loads(self._peer.stdout.readline()).get("reply", REFUSED)


def _request(wire: str, outcome: Outcome) -> Any:
    """What was sent; of what nobody would take, only that."""
    if not isinstance(outcome.sent, dict):
        return {REFUSED: "by the translation"}
    body = normal.request(wire, outcome.sent)
    return body if isinstance(outcome.seen, dict) else {**body, REFUSED: "by the upstream"}


def _reply(outcome: Outcome) -> Any:
    return normal.reply(outcome.seen) if isinstance(outcome.seen, dict) else {REFUSED: "by the translation"}


@contextmanager
def both_sides(home: Path) -> Iterator[Sides]:
    """Start everything, and end it."""
    with ExitStack() as running:
        upstreams = {wire: running.enter_context(VendorUpstream(VENDORS[wire])) for wire in WIRES}
        config = gateway_config(*(entry(wire, each) for wire, each in upstreams.items()), keys=[])
        gateway = running.enter_context(GatewayProcess(home, config, env=KEYS_ENVIRONMENT))
        program = Path(__file__).with_name("peer.py")
        peer = running.enter_context(
            subprocess.Popen(
                [PYTHON, "-I", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        running.callback(peer.kill)
        yield Sides(gateway, peer, upstreams)
