"""Every row of the table of endpoints, put together."""

from pathlib import Path

from llmgw._native import Gateway
from llmgw.endpoints.api import admin_endpoints
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.base import Endpoint
from llmgw.endpoints.files import file_endpoints
from llmgw.endpoints.gemini import gemini_endpoints
from llmgw.endpoints.media import media_endpoints
from llmgw.endpoints.models import model_endpoints
from llmgw.endpoints.openai import openai_endpoints
from llmgw.endpoints.ops import openapi_endpoint, ops_endpoints


def all_endpoints(
    gateway: Gateway, desk: Desk, *, started: int, metrics_auth: str, run_folder: Path
) -> list[Endpoint]:
    """The table. `started`: Unix seconds; `metrics_auth`: `key` or `none`."""
    rows = [
        *openai_endpoints(),
        *gemini_endpoints(),
        *media_endpoints(),
        *file_endpoints(),
        *model_endpoints(gateway, started),
        *ops_endpoints(gateway, metrics_auth, run_folder),
        *admin_endpoints(desk, lambda: gateway.version),
    ]
    return [*rows, openapi_endpoint(rows)]
