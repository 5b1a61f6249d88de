"""OpenAI itself, and by `api_base` any host that speaks its dialect."""

from llmgw.model import Operation
from llmgw.providers.compatible import AUDIO, BATCHES, EVERYTHING, IMAGES, Compatible

OPENAI = Compatible(
    name="openai",
    aliases=("openai_like", "custom_openai", "text-completion-openai"),
    base_url="https://api.openai.com/v1",
    base_variables=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    key_variables=("OPENAI_API_KEY",),
    operations=EVERYTHING | IMAGES | AUDIO | BATCHES | {Operation.REALTIME},
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
    "dall-e-*",
    "tts-*",
    "whisper-*",
)
"""Names that mean OpenAI without a prefix."""
