"""Writes docs/openapi.json from the table of endpoints; `--check` only compares."""

import json
import sys
import tempfile
from pathlib import Path

from llmgw._native import Gateway
from llmgw.endpoints.base import Endpoint
from llmgw.endpoints.files import file_endpoints
from llmgw.endpoints.gemini import gemini_endpoints
from llmgw.endpoints.media import media_endpoints
from llmgw.endpoints.models import model_endpoints
from llmgw.endpoints.openai import openai_endpoints
from llmgw.endpoints.openapi import describe
from llmgw.endpoints.ops import openapi_endpoint, ops_endpoints

TARGET = Path(__file__).parent.parent / "docs" / "openapi.json"

DEFAULT_METRICS_AUTH = "key"


def main() -> int:
    """Write the page, or with `--check` tell whether it is up to date."""
    page = render()
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.read_text(encoding="utf-8") == page else 1
    TARGET.write_text(page, encoding="utf-8")
    return 0


def render() -> str:
    """What `GET /openapi.json` answers by default, laid out for reading; in the order of the table."""
    return json.dumps(describe(endpoints()), indent=2, ensure_ascii=False) + "\n"


def endpoints() -> list[Endpoint]:
    """Every row of the table, as `llmgw.app` puts it together."""
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(str(Path(folder, "shared")), 0)
    rows = [
        *openai_endpoints(),
        *gemini_endpoints(),
        *media_endpoints(),
        *file_endpoints(),
        *model_endpoints(gateway, 0),
        *ops_endpoints(gateway, DEFAULT_METRICS_AUTH, Path()),
    ]
    return [*rows, openapi_endpoint(rows)]


if __name__ == "__main__":
    sys.exit(main())
