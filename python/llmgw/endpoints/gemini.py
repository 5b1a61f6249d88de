"""The Gemini endpoints that the native edge serves: the model stands in the path, the method behind it."""

from llmgw.endpoints.base import Access, Endpoint
from llmgw.model import Operation

_METHODS = {
    "generateContent": (Operation.GENERATE_CONTENT, "Generate content (Gemini), whole."),
    "streamGenerateContent": (Operation.GENERATE_CONTENT, "Generate content (Gemini), streamed."),
    "embedContent": (Operation.EMBED_CONTENT, "Turn a text into a vector (Gemini)."),
    "batchEmbedContents": (Operation.BATCH_EMBED_CONTENTS, "Turn texts into vectors (Gemini)."),
    "predict": (Operation.PREDICT, "Turn texts into vectors (Vertex AI)."),
    "countTokens": (Operation.COUNT_CONTENT_TOKENS, "Count the tokens of content (Gemini)."),
}


def gemini_endpoints() -> list[Endpoint]:
    """The rows of this family. Google Cloud's longer paths lead to the same places."""
    return [
        Endpoint(
            method="POST",
            path=f"{prefix}/models/{{model*}}:{method}",
            permission=Access.KEY,
            summary=summary,
            operation=operation,
        )
        for prefix in ("/v1beta", "/v1")
        for method, (operation, summary) in _METHODS.items()
    ]
