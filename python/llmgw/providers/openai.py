"""OpenAI itself, and by `api_base` any host that speaks its dialect."""

from llmgw.providers.compatible import EVERYTHING, Compatible

OPENAI = Compatible(
    name="openai",
    aliases=("openai_like", "custom_openai", "text-completion-openai"),
    base_url="https://api.openai.com/v1",
    base_variables=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    key_variables=("OPENAI_API_KEY",),
    operations=EVERYTHING,
    original=True,
    typical_model="gpt-4o",
)

BARE_NAMES: tuple[str, ...] = (
    "gpt-*",
    "chatgpt-*",
    "o1*",
    "o3*",
    "o4*",
    "text-embedding-*",
    "text-moderation-*",
    "omni-moderation-*",
)
"""Names that mean OpenAI without a prefix."""
