"""aider: its settings file; it speaks OpenAI's chat completions."""

from collections.abc import Mapping
from pathlib import Path

from llmgw.cli.clients.base import Access, Client, Edit
from llmgw.cli.clients.merge import merge_yaml


def _edits(access: Access, _: Mapping[str, str], home: Path) -> tuple[Edit, ...]:
    values = {"openai-api-base": access.openai_base}
    if access.key is not None:
        values["openai-api-key"] = access.key.reveal()
    if access.models:
        values["model"] = f"openai/{access.models[0]}"
    return (Edit(home / ".aider.conf.yml", lambda text: merge_yaml(text, values)),)


def _notes(access: Access) -> tuple[str, ...]:
    if access.models:
        return ()
    return ("Name models with aider's own prefix: aider --model openai/MODEL",)


AIDER = Client(name="aider", title="aider", edits=_edits, notes=_notes)
