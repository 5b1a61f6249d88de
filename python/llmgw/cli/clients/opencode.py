"""opencode: a provider in its settings; it speaks OpenAI's chat completions."""

from collections.abc import Mapping
from pathlib import Path

from llmgw.cli.clients.base import KEY_VARIABLE, Access, Client, Edit
from llmgw.cli.clients.merge import merge_json


def _edits(access: Access, environment: Mapping[str, str], home: Path) -> tuple[Edit, ...]:
    folder = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "opencode"
    key = f"{{env:{KEY_VARIABLE}}}" if access.key is None else access.key.reveal()
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "llmgw",
        "options": {"baseURL": access.openai_base, "apiKey": key},
        "models": {model: {"name": model} for model in access.models},
    }
    values: dict[str, object] = {
        "$schema": "https://opencode.ai/config.json",
        "provider": {"llmgw": provider},
    }
    if access.models:
        values["model"] = f"llmgw/{access.models[0]}"
    return (Edit(folder / "opencode.json", lambda text: merge_json(text, values)),)


def _notes(access: Access) -> tuple[str, ...]:
    notes = []
    if access.key is None:
        notes.append(f"opencode reads the key from the environment: export {KEY_VARIABLE}=YOUR-KEY")
    if not access.models:
        notes.append("opencode offers only models that it is told of: give each with --model.")
    return tuple(notes)


OPENCODE = Client(name="opencode", title="opencode", edits=_edits, notes=_notes, keeps_key=False)
