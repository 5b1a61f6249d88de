"""The endpoints of files and batches: all served by the native edge."""

from llmgw.endpoints.base import Access, Endpoint
from llmgw.model import Operation

_PREFIXES = ("/v1", "", "/openai/v1")
_JSON = ("application/json",)
_FORM = ("multipart/form-data",)

_ROWS: tuple[tuple[Operation, str, str, str, tuple[str, ...]], ...] = (
    (Operation.FILES, "POST", "", "Bring a file to a provider; it is passed on as it comes.", _FORM),
    (Operation.FILES, "GET", "", "List the key's files, page by page.", ()),
    (Operation.FILES, "GET", "/{file_id}", "Retrieve what is known of a file.", ()),
    (Operation.FILES, "DELETE", "/{file_id}", "Delete a file.", ()),
    (Operation.FILES, "GET", "/{file_id}/content", "Fetch what is in a file.", ()),
    (Operation.BATCHES, "POST", "", "Run the requests of a file.", _JSON),
    (Operation.BATCHES, "GET", "", "List the key's batches, page by page.", ()),
    (Operation.BATCHES, "GET", "/{batch_id}", "Retrieve a batch.", ()),
    (Operation.BATCHES, "POST", "/{batch_id}/cancel", "Cancel a batch.", ()),
)


def file_endpoints() -> list[Endpoint]:
    """The rows of this family."""
    return [
        Endpoint(
            method=method,
            path=prefix + operation.path + below,
            permission=Access.KEY,
            summary=summary,
            operation=operation,
            accepts=accepts,
        )
        for prefix in _PREFIXES
        for operation, method, below, summary, accepts in _ROWS
    ]
