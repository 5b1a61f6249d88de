"""The OpenAI surfaces of vendors that have a dialect of their own."""

from llmgw.providers.compatible import CHAT_EMBEDDINGS, Compatible

SURFACES: tuple[Compatible, ...] = (
    Compatible(
        name="anthropic",
        base_url="https://api.anthropic.com/v1",
        key_variables=("ANTHROPIC_API_KEY",),
        typical_model="claude",
    ),
    Compatible(
        name="cohere",
        aliases=("cohere_chat",),
        base_url="https://api.cohere.ai/compatibility/v1",
        key_variables=("COHERE_API_KEY", "CO_API_KEY"),
        operations=CHAT_EMBEDDINGS,
    ),
    Compatible(
        name="gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        operations=CHAT_EMBEDDINGS,
        typical_model="gemini",
    ),
)
"""By name."""
