"""The endpoints that the native edge serves under a fixed path: OpenAI's, and Anthropic's messages."""

from llmgw.endpoints.base import Access, Endpoint
from llmgw.model import Operation

_AZURE = "/openai/deployments/{deployment}"
_AZURE_OPERATIONS = (Operation.CHAT_COMPLETIONS, Operation.COMPLETIONS, Operation.EMBEDDINGS)
_SUMMARIES = {
    Operation.CHAT_COMPLETIONS: "Create a chat completion, streamed or whole.",
    Operation.COMPLETIONS: "Complete a text, streamed or whole.",
    Operation.EMBEDDINGS: "Turn texts into vectors.",
    Operation.RESPONSES: "Create a model response, streamed or whole.",
    Operation.MODERATIONS: "Classify texts.",
    Operation.MESSAGES: "Create a message (Anthropic), streamed or whole.",
    Operation.COUNT_MESSAGE_TOKENS: "Count the tokens of a message (Anthropic).",
}


def openai_endpoints() -> list[Endpoint]:
    """The rows of this family."""
    return [
        Endpoint(
            method="POST", path=path, access=Access.KEY, summary=_SUMMARIES[operation], operation=operation
        )
        for operation in _SUMMARIES
        for path in _paths(operation)
    ]


def _paths(operation: Operation) -> list[str]:
    paths = list(operation.paths)
    if operation in _AZURE_OPERATIONS:
        paths.append(_AZURE + operation.path)
    return paths
