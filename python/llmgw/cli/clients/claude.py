"""Claude Code: the `env` of its settings; it speaks Anthropic's Messages."""

from collections.abc import Mapping
from pathlib import Path

from llmgw.cli.clients.base import Access, Client, Edit
from llmgw.cli.clients.merge import merge_json

_MODELS = (
    "ANTHROPIC_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
)


def _edits(access: Access, environment: Mapping[str, str], home: Path) -> tuple[Edit, ...]:
    folder = Path(environment.get("CLAUDE_CONFIG_DIR") or home / ".claude")
    variables = {"ANTHROPIC_BASE_URL": access.url}
    if access.key is not None:
        variables["ANTHROPIC_AUTH_TOKEN"] = access.key.reveal()
    if access.models:
        variables |= dict.fromkeys(_MODELS, access.models[0])
        variables[_MODELS[-1]] = access.models[-1]
    variables["CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY"] = "1"
    return (Edit(folder / "settings.json", lambda text: merge_json(text, {"env": variables})),)


def _notes(access: Access) -> tuple[str, ...]:
    notes = ["If ANTHROPIC_API_KEY is set, unset it; /status in Claude Code shows what is in force."]
    if not access.models:
        notes.append(
            "Claude Code asks for models by Claude's names: give some with --model (the last for small "
            "tasks), or the key a map (llmgw keys create NAME --map 'claude-*=MODEL')."
        )
    return tuple(notes)


CLAUDE = Client(name="claude", title="Claude Code", edits=_edits, notes=_notes)
