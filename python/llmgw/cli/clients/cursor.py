"""Cursor: has no file for this; what to enter in its settings."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from llmgw.cli.clients.base import Access, Client, Edit

_HERE = ("127.0.0.1", "localhost", "::1")


def _edits(_: Access, __: Mapping[str, str], ___: Path) -> tuple[Edit, ...]:
    return ()


def _notes(access: Access) -> tuple[str, ...]:
    shown = "YOUR-KEY" if access.key is None else access.key.reveal()
    notes = [
        "Open Cursor Settings, Models, API Keys.",
        f"Switch on OpenAI API Key and enter {shown}",
        f"Switch on Override OpenAI Base URL and enter {access.openai_base}",
        f"Add the models: {', '.join(access.models) or 'those that the gateway lists'}",
    ]
    if urlsplit(access.url).hostname in _HERE:
        notes.append(
            "Cursor's own servers call the gateway: its address has to be reachable from the internet."
        )
    return tuple(notes)


CURSOR = Client(name="cursor", title="Cursor", edits=_edits, notes=_notes, keeps_key=False)
