"""The words that every floor shares: operations, and the three things that are all called "model"."""

from enum import StrEnum
from typing import NewType

RequestedModel = NewType("RequestedModel", str)
"""The client's word: `gpt-4o`, `team/fast`, whatever the configuration publishes."""

RoutedModel = NewType("RoutedModel", str)
"""What is sent upstream: `gpt-4o-2024-11-20`. May hold one `*` for what a wildcard matched."""

ReportedModel = NewType("ReportedModel", str)
"""What the upstream says that it used."""


class Operation(StrEnum):
    """What an endpoint does, by the names of the APIs' endpoints. A deployment lists those it serves."""

    CHAT_COMPLETIONS = "chat_completions"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    RESPONSES = "responses"
    MODERATIONS = "moderations"
    MESSAGES = "messages"
    """Anthropic's Messages."""
    COUNT_MESSAGE_TOKENS = "count_message_tokens"
    """Anthropic's `count_tokens`."""
    GENERATE_CONTENT = "generate_content"
    """Gemini's `generateContent` and `streamGenerateContent`."""
    COUNT_CONTENT_TOKENS = "count_content_tokens"
    """Gemini's `countTokens`."""
    CONVERSE = "converse"
    """Bedrock's; upstream only."""
    COHERE_CHAT = "cohere_chat"
    """Cohere's chat, version 2; upstream only."""
    IMAGES_GENERATIONS = "images_generations"
    IMAGES_EDITS = "images_edits"
    AUDIO_SPEECH = "audio_speech"
    AUDIO_TRANSCRIPTIONS = "audio_transcriptions"
    AUDIO_TRANSLATIONS = "audio_translations"
    RERANK = "rerank"
    """Cohere's, version 2, which other hosts took over."""
    FILES = "files"
    BATCHES = "batches"
    REALTIME = "realtime"
    """A WebSocket."""
    EMBED_CONTENT = "embed_content"
    """Gemini's `embedContent`."""
    BATCH_EMBED_CONTENTS = "batch_embed_contents"
    """Gemini's `batchEmbedContents`."""
    PREDICT = "predict"
    """Vertex AI's `predict`, as its embedding models have it."""
    VERTEX_EMBED_CONTENT = "vertex_embed_content"
    """Vertex AI's own `embedContent`, whose settings stand elsewhere; upstream only."""
    VERTEX_BATCH_EMBED_CONTENTS = "vertex_batch_embed_contents"
    """The same for several texts; upstream only."""

    @property
    def path(self) -> str:
        """The path below an OpenAI or Anthropic base URL, as `/chat/completions`.

        Only for operations in `PATHS`; the others name their model in the path.
        """
        return PATHS[self]

    @property
    def paths(self) -> tuple[str, ...]:
        """The fixed paths it is served at: with and without `/v1`, and OpenAI's also where Azure has them."""
        prefixes = ("/v1", "", "/openai/v1") if self in _AT_AZURE else ("/v1", "")
        return tuple(prefix + self.path for prefix in prefixes)


PATHS = {
    Operation.CHAT_COMPLETIONS: "/chat/completions",
    Operation.COMPLETIONS: "/completions",
    Operation.EMBEDDINGS: "/embeddings",
    Operation.RESPONSES: "/responses",
    Operation.MODERATIONS: "/moderations",
    Operation.MESSAGES: "/messages",
    Operation.COUNT_MESSAGE_TOKENS: "/messages/count_tokens",
    Operation.IMAGES_GENERATIONS: "/images/generations",
    Operation.IMAGES_EDITS: "/images/edits",
    Operation.AUDIO_SPEECH: "/audio/speech",
    Operation.AUDIO_TRANSCRIPTIONS: "/audio/transcriptions",
    Operation.AUDIO_TRANSLATIONS: "/audio/translations",
    Operation.RERANK: "/rerank",
    Operation.FILES: "/files",
    Operation.BATCHES: "/batches",
    Operation.REALTIME: "/realtime",
}
"""The operations with a fixed path."""

_AT_AZURE = frozenset(
    {Operation.CHAT_COMPLETIONS, Operation.COMPLETIONS, Operation.EMBEDDINGS, Operation.RESPONSES}
)

UPLOADS = frozenset({Operation.IMAGES_EDITS, Operation.AUDIO_TRANSCRIPTIONS, Operation.AUDIO_TRANSLATIONS})
"""The operations whose bodies are forms with a file."""

STORED = frozenset({Operation.FILES, Operation.BATCHES})
"""The operations on what providers keep: several methods each, and paths with ids."""

CHATS = frozenset(
    {
        Operation.CHAT_COMPLETIONS,
        Operation.RESPONSES,
        Operation.MESSAGES,
        Operation.GENERATE_CONTENT,
        Operation.CONVERSE,
        Operation.COHERE_CHAT,
    }
)
"""The operations that are chats: a deployment that serves one of them serves clients of all dialects."""

EMBEDS = frozenset(
    {
        Operation.EMBEDDINGS,
        Operation.PREDICT,
        Operation.VERTEX_EMBED_CONTENT,
        Operation.VERTEX_BATCH_EMBED_CONTENTS,
    }
)
"""The operations by which upstreams are asked for vectors: one of them serves clients of all dialects."""
