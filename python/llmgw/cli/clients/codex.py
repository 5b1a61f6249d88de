"""Codex: a provider in its settings; it speaks OpenAI's Responses and takes its key from the environment."""

from collections.abc import Mapping
from pathlib import Path

from llmgw.cli.clients.base import KEY_VARIABLE, Access, Client, Edit
from llmgw.cli.clients.merge import merge_toml


def _edits(access: Access, environment: Mapping[str, str], home: Path) -> tuple[Edit, ...]:
    folder = Path(environment.get("CODEX_HOME") or home / ".codex")
    top = {"model_provider": "llmgw"}
    if access.models:
        top = {"model": access.models[0], **top}
    provider = {
        "name": "llmgw",
        "base_url": access.openai_base,
        "env_key": KEY_VARIABLE,
        "wire_api": "responses",
    }
    return (
        Edit(folder / "config.toml", lambda text: merge_toml(text, top, "model_providers.llmgw", provider)),
    )


def _notes(access: Access) -> tuple[str, ...]:
    shown = "YOUR-KEY" if access.key is None else access.key.reveal()
    return (f"Codex reads the key from the environment: export {KEY_VARIABLE}={shown}",)


CODEX = Client(name="codex", title="Codex", edits=_edits, notes=_notes, keeps_key=False)
