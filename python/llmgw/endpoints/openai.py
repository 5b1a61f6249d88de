"""The endpoints that the native edge serves under a fixed path: OpenAI's, and Anthropic's messages."""

from llmgw.endpoints.base import AZURE_REALTIME, Access, Endpoint
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
_OF_A_RESPONSE = (
    ("GET", "/{response_id}", "Retrieve a response that was stored."),
    ("DELETE", "/{response_id}", "Delete a response that was stored."),
    ("POST", "/{response_id}/cancel", "Cancel a response that is made in the background."),
    ("GET", "/{response_id}/input_items", "List what a stored response answers, page by page."),
)


_REALTIME = "Open a realtime session: a WebSocket. The query names the model, or Azure's deployment."
_REALTIME_PATHS = ("/v1/realtime", "/realtime", "/openai/v1/realtime", AZURE_REALTIME)


def openai_endpoints() -> list[Endpoint]:
    """The rows of this family."""
    rows = [
        Endpoint(
            method="POST",
            path=path,
            permission=Access.KEY,
            summary=_SUMMARIES[operation],
            operation=operation,
        )
        for operation in _SUMMARIES
        for path in _paths(operation)
    ]
    rows += [
        Endpoint(method=method, path=path + below, permission=Access.KEY, summary=summary)
        for path in Operation.RESPONSES.paths
        for method, below, summary in _OF_A_RESPONSE
    ]
    rows += [
        Endpoint(
            method="GET", path=path, permission=Access.KEY, summary=_REALTIME, operation=Operation.REALTIME
        )
        for path in _REALTIME_PATHS
    ]
    return rows


def _paths(operation: Operation) -> list[str]:
    paths = list(operation.paths)
    if operation in _AZURE_OPERATIONS:
        paths.append(_AZURE + operation.path)
    return paths
