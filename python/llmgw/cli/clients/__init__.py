"""The clients that `llmgw configure` points at a gateway."""

from llmgw.cli.clients.aider import AIDER
from llmgw.cli.clients.base import Client
from llmgw.cli.clients.claude import CLAUDE
from llmgw.cli.clients.codex import CODEX
from llmgw.cli.clients.cursor import CURSOR
from llmgw.cli.clients.gemini import GEMINI
from llmgw.cli.clients.opencode import OPENCODE

CLIENTS: dict[str, Client] = {
    client.name: client for client in (CLAUDE, CODEX, GEMINI, CURSOR, AIDER, OPENCODE)
}
"""By name."""
