"""Hosts that speak the OpenAI dialect, as records: a new one is a line here.

Base URLs are those of the hosts' own documents. A host that is not listed needs no record:
`openai/<model>` with an `api_base` reaches it.
"""

from urllib.parse import urlsplit

import msgspec

from llmgw.model import Operation
from llmgw.providers.base import (
    Header,
    Target,
    TargetError,
    Upstream,
    checked_base,
    first_variable,
    header_secret,
)
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

CHAT = frozenset({Operation.CHAT_COMPLETIONS})
CHAT_EMBEDDINGS = CHAT | {Operation.EMBEDDINGS}
CLASSIC = CHAT_EMBEDDINGS | {Operation.COMPLETIONS}
EVERYTHING = CLASSIC | {Operation.RESPONSES, Operation.MODERATIONS}
IMAGES = frozenset({Operation.IMAGES_GENERATIONS, Operation.IMAGES_EDITS})
TRANSCRIPTS = frozenset({Operation.AUDIO_TRANSCRIPTIONS, Operation.AUDIO_TRANSLATIONS})
AUDIO = TRANSCRIPTS | {Operation.AUDIO_SPEECH}
BATCHES = frozenset({Operation.FILES, Operation.BATCHES})


class Compatible(msgspec.Struct, frozen=True, kw_only=True):
    """A host that speaks the OpenAI dialect under a base URL, with a bearer key."""

    name: str
    """The prefix of its models and its label in metrics."""
    aliases: tuple[str, ...] = ()
    """Other prefixes, LiteLLM's among them."""
    base_url: str | None = None
    """Its address; without one, `api_base` has to say."""
    base_variables: tuple[str, ...] = ()
    """Environment variables that may hold another address."""
    key_variables: tuple[str, ...] = ()
    """Environment variables that may hold the credential."""
    operations: frozenset[Operation] = CHAT
    """What it serves."""
    needs_key: bool = True
    """Refuse a deployment without a credential. Hosts on one's own machine need none."""
    default_path: str = ""
    """Path of the API when a given `api_base` has none, as people write for local hosts."""
    typical_model: str = ""
    """A model by whose tokenizer to count when a deployment is a pattern, if they are alike."""
    stream_usage: bool = True
    """It takes `stream_options.include_usage`; some reject fields they do not know."""
    original: bool = False
    """It invented the dialect: its newest fields work."""

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and headers for a deployment; see `Provider.connect`."""
        base = self._base(target, environment)
        key, warning = self._key(target, environment)
        headers: list[Header] = []
        if key is not None:
            headers.append(("authorization", f"Bearer {header_secret(key, 'api_key')}"))
        if target.organization is not None:
            headers.append(("openai-organization", target.organization))
        return Upstream(
            model=target.model,
            urls={operation: base + _below(operation) for operation in sorted(self.operations)},
            headers=tuple(headers),
            stream_usage=self.stream_usage,
            original=self.original and target.api_base is None,
            warning=warning,
        )

    def _base(self, target: Target, environment: Environment) -> str:
        written = target.api_base or first_variable(self.base_variables, environment)
        url = written or self.base_url
        if url is None:
            raise TargetError("api_base", f"{self.name} needs an api_base")
        base = checked_base(url)
        return base if urlsplit(base).path else base + self.default_path

    def _key(self, target: Target, environment: Environment) -> tuple[Secret | None, str | None]:
        """The credential, and a warning when there is deliberately none.

        A key from the environment belongs to the provider's own address: it is not sent to another
        one that the file names.
        """
        if target.api_key is not None:
            return target.api_key, None
        if target.api_base is not None:
            if not self.needs_key:
                return None, None
            return None, "no api_key beside api_base: requests are sent without a credential"
        if value := first_variable(self.key_variables, environment):
            return Secret(value), None
        if self.needs_key:
            names = " or ".join(self.key_variables) or "api_key"
            raise TargetError("api_key", f"no credential: set {names}, or give api_key")
        return None, None


def _below(operation: Operation) -> str:
    """Path and query below the base URL."""
    return "/realtime?model={model}" if operation is Operation.REALTIME else operation.path


COMPATIBLE: tuple[Compatible, ...] = (
    Compatible(
        name="anthropic",  # its OpenAI surface
        base_url="https://api.anthropic.com/v1",
        key_variables=("ANTHROPIC_API_KEY",),
        typical_model="claude",
    ),
    Compatible(
        name="cerebras",
        base_url="https://api.cerebras.ai/v1",
        key_variables=("CEREBRAS_API_KEY",),
        operations=CHAT | {Operation.COMPLETIONS},
    ),
    Compatible(
        name="cohere",  # its OpenAI surface
        aliases=("cohere_chat",),
        base_url="https://api.cohere.ai/compatibility/v1",
        key_variables=("COHERE_API_KEY", "CO_API_KEY"),
        operations=CHAT_EMBEDDINGS,
    ),
    Compatible(
        name="dashscope",
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        key_variables=("DASHSCOPE_API_KEY",),
        operations=CHAT_EMBEDDINGS,
        typical_model="qwen",
    ),
    Compatible(
        name="deepinfra",
        base_url="https://api.deepinfra.com/v1/openai",
        key_variables=("DEEPINFRA_API_KEY",),
        operations=CLASSIC | IMAGES | AUDIO,
    ),
    Compatible(
        name="deepseek",
        base_url="https://api.deepseek.com/v1",
        key_variables=("DEEPSEEK_API_KEY",),
        typical_model="deepseek-chat",
    ),
    Compatible(
        name="fireworks",
        aliases=("fireworks_ai",),
        base_url="https://api.fireworks.ai/inference/v1",
        key_variables=("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
        operations=CLASSIC,
    ),
    Compatible(
        name="gemini",  # its OpenAI surface
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        operations=CHAT_EMBEDDINGS,
        typical_model="gemini",
    ),
    Compatible(
        name="github",
        base_url="https://models.github.ai/inference",
        key_variables=("GITHUB_API_KEY",),
        operations=CHAT_EMBEDDINGS,
    ),
    Compatible(
        name="groq",
        base_url="https://api.groq.com/openai/v1",
        key_variables=("GROQ_API_KEY",),
        operations=CHAT | AUDIO | BATCHES | {Operation.RESPONSES},
    ),
    Compatible(
        name="huggingface",
        base_url="https://router.huggingface.co/v1",
        key_variables=("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    ),
    Compatible(
        name="hyperbolic",
        base_url="https://api.hyperbolic.xyz/v1",
        key_variables=("HYPERBOLIC_API_KEY",),
    ),
    Compatible(
        name="jina_ai",
        base_url="https://api.jina.ai/v1",
        key_variables=("JINA_API_KEY", "JINA_AI_API_KEY"),
        operations=frozenset({Operation.EMBEDDINGS, Operation.RERANK}),
    ),
    Compatible(
        name="llamacpp",
        aliases=("llama_cpp", "llamafile"),
        base_url="http://localhost:8080/v1",
        operations=CLASSIC | {Operation.RERANK},
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="lm_studio",
        base_url="http://localhost:1234/v1",
        base_variables=("LM_STUDIO_API_BASE",),
        key_variables=("LM_STUDIO_API_KEY",),
        operations=CLASSIC | {Operation.RESPONSES},
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="mistral",
        base_url="https://api.mistral.ai/v1",
        key_variables=("MISTRAL_API_KEY",),
        operations=CHAT_EMBEDDINGS | {Operation.MODERATIONS, Operation.AUDIO_TRANSCRIPTIONS, Operation.FILES},
        stream_usage=False,  # sends usage unasked, and refuses unknown fields
        typical_model="mistral-large",
    ),
    Compatible(
        name="moonshot",
        base_url="https://api.moonshot.ai/v1",
        key_variables=("MOONSHOT_API_KEY",),
    ),
    Compatible(
        name="nebius",
        base_url="https://api.studio.nebius.ai/v1",
        key_variables=("NEBIUS_API_KEY",),
        operations=CLASSIC,
    ),
    Compatible(
        name="novita",
        base_url="https://api.novita.ai/v3/openai",
        key_variables=("NOVITA_API_KEY",),
        operations=CHAT | {Operation.COMPLETIONS},
    ),
    Compatible(
        name="nvidia",
        aliases=("nvidia_nim",),
        base_url="https://integrate.api.nvidia.com/v1",
        key_variables=("NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"),
        operations=CLASSIC,
    ),
    Compatible(
        name="ollama",
        aliases=("ollama_chat",),
        base_url="http://localhost:11434/v1",
        base_variables=("OLLAMA_API_BASE",),
        key_variables=("OLLAMA_API_KEY",),
        operations=CLASSIC,
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="openrouter",
        base_url="https://openrouter.ai/api/v1",
        key_variables=("OPENROUTER_API_KEY",),
        operations=CLASSIC | {Operation.RERANK},
    ),
    Compatible(
        name="perplexity",
        base_url="https://api.perplexity.ai",
        key_variables=("PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"),
        stream_usage=False,  # sends usage unasked
    ),
    Compatible(
        name="sambanova",
        base_url="https://api.sambanova.ai/v1",
        key_variables=("SAMBANOVA_API_KEY",),
        operations=CHAT_EMBEDDINGS,
    ),
    Compatible(
        name="together",
        aliases=("together_ai",),
        base_url="https://api.together.xyz/v1",
        key_variables=("TOGETHER_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY"),
        operations=CLASSIC | AUDIO | {Operation.IMAGES_GENERATIONS, Operation.RERANK},
    ),
    Compatible(
        name="vllm",
        aliases=("hosted_vllm",),
        base_variables=("HOSTED_VLLM_API_BASE",),
        key_variables=("HOSTED_VLLM_API_KEY",),
        operations=CLASSIC | TRANSCRIPTS | {Operation.RESPONSES, Operation.RERANK},
        needs_key=False,
        default_path="/v1",
    ),
    Compatible(
        name="xai",
        base_url="https://api.x.ai/v1",
        key_variables=("XAI_API_KEY",),
        operations=CHAT | {Operation.COMPLETIONS, Operation.RESPONSES, Operation.IMAGES_GENERATIONS},
    ),
)
"""The hosts, by name."""
