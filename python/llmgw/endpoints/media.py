"""The endpoints of images, audio and rankings: all served by the native edge."""

from llmgw.endpoints.base import Access, Endpoint
from llmgw.model import Operation

_PREFIXES = ("/v1", "")
_AZURE = "/openai/deployments/{deployment}"
_JSON = "application/json"
_FORM = "multipart/form-data"

_ROWS: tuple[tuple[Operation, str, tuple[str, ...]], ...] = (
    (Operation.IMAGES_GENERATIONS, "Draw images, streamed or whole.", (_JSON,)),
    (Operation.IMAGES_EDITS, "Change images, streamed or whole.", (_FORM, _JSON)),
    (Operation.AUDIO_SPEECH, "Speak a text; the sound comes as it is made.", (_JSON,)),
    (Operation.AUDIO_TRANSCRIPTIONS, "Write down what is said, streamed or whole.", (_FORM,)),
    (Operation.AUDIO_TRANSLATIONS, "Write down in English what is said.", (_FORM,)),
)
_RERANK = "Order documents by how well they fit a query."


def media_endpoints() -> list[Endpoint]:
    """The rows of this family."""
    rows = [
        _row(prefix + operation.path, operation, summary, accepts)
        for operation, summary, accepts in _ROWS
        for prefix in (*_PREFIXES, _AZURE)
    ]
    rows += [
        _row(path, Operation.RERANK, _RERANK, (_JSON,)) for path in ("/v1/rerank", "/v2/rerank", "/rerank")
    ]
    return rows


def _row(path: str, operation: Operation, summary: str, accepts: tuple[str, ...]) -> Endpoint:
    return Endpoint(
        method="POST", path=path, permission=Access.KEY, summary=summary, operation=operation, accepts=accepts
    )
