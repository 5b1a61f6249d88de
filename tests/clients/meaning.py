"""How each dialect says in its own words why a reply ended."""

from typing import Any

FINISH: dict[str, dict[str, str]] = {
    "openai_chat": {"refusal": "stop"},
    "openai_responses": {
        "stop": "completed",
        "tool_calls": "completed",
        "length": "max_output_tokens",
        "refusal": "completed",
    },
    "anthropic_messages": {
        "stop": "end_turn",
        "tool_calls": "tool_use",
        "length": "max_tokens",
        "content_filter": "refusal",
    },
    "gemini_generate": {
        "stop": "STOP",
        "tool_calls": "STOP",
        "length": "MAX_TOKENS",
        "content_filter": "SAFETY",
        "refusal": "STOP",
    },
    "bedrock_converse": {
        "stop": "end_turn",
        "tool_calls": "tool_use",
        "length": "max_tokens",
        "content_filter": "content_filtered",
    },
    "cohere_chat": {"stop": "COMPLETE", "tool_calls": "TOOL_CALL", "length": "MAX_TOKENS"},
}
STOPPED_BY_A_SEQUENCE = {
    "anthropic_messages": "stop_sequence",
    "bedrock_converse": "stop_sequence",
    "cohere_chat": "STOP_SEQUENCE",
}


def finish(dialect: str, said: dict[str, Any]) -> str:
    """The dialect's own word for the end of what `scenarios.json` describes."""
    if "stop_sequence" in said and dialect in STOPPED_BY_A_SEQUENCE:
        return STOPPED_BY_A_SEQUENCE[dialect]
    end = str(said["finish"])
    return FINISH[dialect].get(end, end)
