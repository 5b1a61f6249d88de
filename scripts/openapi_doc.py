"""Writes docs/openapi.json from the table of endpoints; `--check` only compares."""

import json
import sys
import tempfile
from pathlib import Path

from llmgw._native import Gateway
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.base import Endpoint
from llmgw.endpoints.openapi import describe
from llmgw.endpoints.rows import all_endpoints
from llmgw.settings.secrets import Secret
from llmgw.store.database import Store
from llmgw.store.keyring import Keyring

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
    secret = Secret("0" * 64)
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(str(Path(folder, "shared")), 0)
        store = Store.open(f"sqlite:///{folder}/nothing.db")
        desk = Desk(store=store, pepper=secret, keyring=Keyring(lambda: [secret]))
        return all_endpoints(
            gateway, desk, started=0, metrics_auth=DEFAULT_METRICS_AUTH, run_folder=Path(folder)
        )


if __name__ == "__main__":
    sys.exit(main())
