//! What clients ask for, and upstreams serve.

use llmgw_formats::Kind;
use serde::Deserialize;

/// What an endpoint does; a deployment lists those it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names are those of the APIs' endpoints; Python's `Operation` describes them
pub enum Operation {
    ChatCompletions,
    Completions,
    Embeddings,
    Responses,
    Moderations,
    Messages,
    CountMessageTokens,
    GenerateContent,
    CountContentTokens,
    Converse,
    CohereChat,
    ImagesGenerations,
    ImagesEdits,
    AudioSpeech,
    AudioTranscriptions,
    AudioTranslations,
    Rerank,
    Files,
    Batches,
    Realtime,
    EmbedContent,
    BatchEmbedContents,
    Predict,
    VertexEmbedContent,
    VertexBatchEmbedContents,
}

impl Operation {
    /// The operations that are chats, in the order in which an upstream of another dialect is asked.
    pub const CHATS: [Operation; 6] = [
        Operation::Messages,
        Operation::GenerateContent,
        Operation::Converse,
        Operation::CohereChat,
        Operation::ChatCompletions,
        Operation::Responses,
    ];

    /// The format of the bodies, if it is a chat or counts one's tokens.
    #[must_use]
    pub fn format(self) -> Option<Kind> {
        match self {
            Operation::ChatCompletions => Some(Kind::OpenaiChat),
            Operation::Responses => Some(Kind::OpenaiResponses),
            Operation::Messages | Operation::CountMessageTokens => Some(Kind::AnthropicMessages),
            Operation::GenerateContent
            | Operation::CountContentTokens
            | Operation::EmbedContent
            | Operation::BatchEmbedContents
            | Operation::Predict
            | Operation::VertexEmbedContent
            | Operation::VertexBatchEmbedContents => Some(Kind::GeminiGenerate),
            Operation::Converse => Some(Kind::BedrockConverse),
            Operation::CohereChat => Some(Kind::CohereChat),
            _ => None,
        }
    }

    /// Whether it is a chat: one that a deployment of another dialect can serve.
    #[must_use]
    pub fn is_chat(self) -> bool {
        Self::CHATS.contains(&self)
    }

    /// The operations by which an upstream can be asked for vectors, in the order in which one is.
    pub const EMBEDS: [Operation; 3] =
        [Operation::Embeddings, Operation::Predict, Operation::VertexEmbedContent];

    /// Whether it asks for vectors, which whoever embeds can serve.
    #[must_use]
    pub fn embeds(self) -> bool {
        self == Operation::Embeddings || self.embeds_content()
    }

    /// Whether it asks for vectors as Google has them.
    #[must_use]
    pub fn embeds_content(self) -> bool {
        matches!(
            self,
            Operation::EmbedContent
                | Operation::BatchEmbedContents
                | Operation::Predict
                | Operation::VertexEmbedContent
                | Operation::VertexBatchEmbedContents
        )
    }

    /// Whether the model stands in the path alone.
    #[must_use]
    pub fn has_model_in_path(self) -> bool {
        matches!(self, Operation::GenerateContent | Operation::CountContentTokens)
            || self.embeds_content()
    }

    /// Whether it only counts tokens.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Operation::CountMessageTokens | Operation::CountContentTokens)
    }

    /// The endpoint's name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Operation::ChatCompletions => "chat_completions",
            Operation::Completions => "completions",
            Operation::Embeddings => "embeddings",
            Operation::Responses => "responses",
            Operation::Moderations => "moderations",
            Operation::Messages => "messages",
            Operation::CountMessageTokens => "count_message_tokens",
            Operation::GenerateContent => "generate_content",
            Operation::CountContentTokens => "count_content_tokens",
            Operation::Converse => "converse",
            Operation::CohereChat => "cohere_chat",
            Operation::ImagesGenerations => "images_generations",
            Operation::ImagesEdits => "images_edits",
            Operation::AudioSpeech => "audio_speech",
            Operation::AudioTranscriptions => "audio_transcriptions",
            Operation::AudioTranslations => "audio_translations",
            Operation::Rerank => "rerank",
            Operation::Files => "files",
            Operation::Batches => "batches",
            Operation::Realtime => "realtime",
            Operation::EmbedContent => "embed_content",
            Operation::BatchEmbedContents => "batch_embed_contents",
            Operation::Predict => "predict",
            Operation::VertexEmbedContent => "vertex_embed_content",
            Operation::VertexBatchEmbedContents => "vertex_batch_embed_contents",
        }
    }

    /// Whether a body of that media type is read as a form: always for some endpoints, for others if it is one.
    #[must_use]
    pub fn takes_forms(self, media_type: Option<&[u8]>) -> bool {
        match self {
            Operation::AudioTranscriptions | Operation::AudioTranslations => true,
            Operation::ImagesEdits => {
                media_type.is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/form-data"))
            }
            _ => false,
        }
    }

    /// Whether the reply is text: where its provider says nothing of usage, its size tells how much.
    #[must_use]
    pub fn writes_text(self) -> bool {
        let of_text = [Operation::Completions, Operation::AudioTranscriptions];
        Operation::CHATS.contains(&self)
            || of_text.contains(&self)
            || self == Operation::AudioTranslations
    }

    /// Whether pictures or sound go in or come out.
    #[must_use]
    pub fn is_of_media(self) -> bool {
        matches!(
            self,
            Operation::ImagesGenerations
                | Operation::ImagesEdits
                | Operation::AudioSpeech
                | Operation::AudioTranscriptions
                | Operation::AudioTranslations
        )
    }

    /// Whether the reply to the same request may be given again. An image is wanted anew each time.
    #[must_use]
    pub fn may_be_cached(self) -> bool {
        !matches!(self, Operation::ImagesGenerations | Operation::ImagesEdits)
    }
}
