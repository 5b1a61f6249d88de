"""Gemini CLI: its `.env` and how it signs in; it speaks Gemini's generateContent."""

from collections.abc import Mapping
from pathlib import Path

from llmgw.cli.clients.base import Access, Client, Edit
from llmgw.cli.clients.merge import merge_env, merge_json

_BY_KEY = {"security": {"auth": {"selectedType": "gemini-api-key"}}}


def _edits(access: Access, environment: Mapping[str, str], home: Path) -> tuple[Edit, ...]:
    folder = Path(environment.get("GEMINI_CLI_HOME") or home) / ".gemini"
    variables = {"GOOGLE_GEMINI_BASE_URL": access.url}
    if access.key is not None:
        variables["GEMINI_API_KEY"] = access.key.reveal()
    if access.models:
        variables["GEMINI_MODEL"] = access.models[0]
    return (
        Edit(folder / ".env", lambda text: merge_env(text, variables)),
        Edit(folder / "settings.json", lambda text: merge_json(text, _BY_KEY)),
    )


def _notes(access: Access) -> tuple[str, ...]:
    notes = ["A .env file of the project, or of a folder above it, counts before this one."]
    if access.url.startswith("http://") and not access.url.startswith(("http://127.", "http://localhost")):
        notes.append("Gemini CLI wants https for a host that is not this machine.")
    return tuple(notes)


GEMINI = Client(name="gemini", title="Gemini CLI", edits=_edits, notes=_notes)
