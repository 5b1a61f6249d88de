"""OpenAI itself, and by `api_base` any host that speaks its dialect."""

import msgspec

from llmgw.model import Operation
from llmgw.providers.base import Target, Upstream
from llmgw.providers.compatible import AUDIO, BATCHES, EVERYTHING, IMAGES, Compatible
from llmgw.settings.environment import Environment

_RESPONSES = "responses/"


class OpenAI(Compatible, frozen=True, kw_only=True):
    """OpenAI, and under an `api_base` any host that speaks its dialect."""

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and headers for a deployment; see `Provider.connect`."""
        return only_responses(super().connect(target, environment))


def only_responses(upstream: Upstream) -> Upstream:
    """Of a model spelled `responses/MODEL`, as in LiteLLM, the Responses API alone."""
    if not upstream.model.startswith(_RESPONSES):
        return upstream
    return msgspec.structs.replace(
        upstream,
        model=upstream.model.removeprefix(_RESPONSES),
        urls={operation: url for operation, url in upstream.urls.items() if operation is Operation.RESPONSES},
    )


OPENAI = OpenAI(
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
