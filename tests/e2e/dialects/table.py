"""The table of client surface × upstream format × scenario: what is tested, and why the rest is not."""

from dataclasses import dataclass
from typing import Any

from tests.upstreams.vendors import fixtures

SURFACES = ("openai_chat", "openai_responses", "anthropic_messages", "gemini_generate")
WIRES = (*SURFACES, "bedrock_converse", "cohere_chat")
KNOWN = fixtures.scenarios()
# Not scenarios of their own: the answer after tool results, and the other way to answer `json_schema`.
SCENARIOS = tuple(name for name in KNOWN["replies"] if name not in {"after_tools", "json_schema_by_tool"})

# What a client surface cannot ask for or show, by scenario.
SURFACE_LACKS = {
    ("openai_responses", "stop_sequence"): "Responses have no stop sequences",
    ("openai_responses", "several_choices"): "Responses have one answer",
    ("anthropic_messages", "several_choices"): "Messages have one answer",
    ("anthropic_messages", "logprobs"): "Messages have no log probabilities",
}
# What an upstream format has no answer for: the scenarios whose `formats` leave it out, with the reason.
WIRE_LACKS = {
    ("gemini_generate", "redacted_reasoning"): "no sealed thoughts without their text",
    ("openai_chat", "redacted_reasoning"): "no sealed thoughts",
    ("cohere_chat", "redacted_reasoning"): "no sealed thoughts",
    ("anthropic_messages", "refusal"): "a refusal is a reason to stop: see `filtered`",
    ("gemini_generate", "refusal"): "a refusal is a reason to stop: see `filtered`",
    ("bedrock_converse", "refusal"): "a refusal is a reason to stop: see `filtered`",
    ("cohere_chat", "refusal"): "no refusals",
    ("cohere_chat", "filtered"): "no filter",
    **{
        (wire, "blocked_prompt"): "only Gemini blocks a prompt" for wire in WIRES if wire != "gemini_generate"
    },
    ("gemini_generate", "max_tokens_in_a_call"): "arguments come whole",
    ("cohere_chat", "max_tokens_in_a_call"): "not recorded",
    ("openai_responses", "stop_sequence"): "no stop sequences",
    ("openai_chat", "citations"): "no citations of documents",
    ("gemini_generate", "citations"): "no citations of documents",
    ("bedrock_converse", "citations"): "not recorded",
    ("anthropic_messages", "logprobs"): "no log probabilities",
    ("bedrock_converse", "logprobs"): "no log probabilities",
    ("cohere_chat", "logprobs"): "without the tokens' texts",
    ("anthropic_messages", "made_picture"): "makes no pictures",
    ("bedrock_converse", "made_picture"): "not recorded",
    ("cohere_chat", "made_picture"): "makes no pictures",
    ("openai_chat", "hosted_tool"): "runs no tools",
    ("bedrock_converse", "hosted_tool"): "not recorded",
    ("cohere_chat", "hosted_tool"): "runs no tools",
    **{(wire, "phases"): "no phases" for wire in WIRES if wire != "openai_responses"},
    ("openai_responses", "several_choices"): "one answer",
    ("anthropic_messages", "several_choices"): "one answer",
    ("bedrock_converse", "several_choices"): "one answer",
    ("cohere_chat", "several_choices"): "one answer",
}


@dataclass(frozen=True)
class Cell:
    """One combination."""

    surface: str
    wire: str
    scenario: str

    def __str__(self) -> str:
        """As the test's id."""
        return f"{self.surface}-{self.wire}-{self.scenario}"

    @property
    def unsupported(self) -> str | None:
        """Why this cell cannot be tested, or None."""
        lacks = SURFACE_LACKS.get((self.surface, self.scenario))
        return lacks or WIRE_LACKS.get((self.wire, self.scenario))

    @property
    def said(self) -> dict[str, Any]:
        """What the upstream says in this scenario."""
        return fixtures.meaning(self.scenario)


ALL = [Cell(surface, wire, name) for surface in SURFACES for wire in WIRES for name in SCENARIOS]
SUPPORTED = [cell for cell in ALL if cell.unsupported is None]
VARIANTS = [
    Cell(surface, wire, name)
    for surface in SURFACES
    for name, said in KNOWN["variants"].items()
    for wire in said["formats"]
]
BROKEN = [
    Cell(surface, wire, name)
    for surface in SURFACES
    for name, said in KNOWN["broken"].items()
    for wire in said["formats"]
    if name != "no_done"  # hosts exist that leave `[DONE]` out; with a reason to stop all is said
]
PAIRS = [(surface, wire) for surface in SURFACES for wire in WIRES]
