"""`llmgw models add`: deployments that are kept in the store."""

from typing import Any

from llmgw.cli.api import Api
from llmgw.cli.asking import Form
from llmgw.cli.objects import NOUNS, find, show_one


def add(
    api: Api,
    name: str,
    model: str,
    api_base: str | None,
    credential: str | None,
    fields: dict[str, Any],
    form: Form,
) -> int:
    """Make a deployment in the store."""
    params = {"model": model} | ({} if api_base is None else {"api_base": api_base})
    body: dict[str, Any] = {"name": name, "entry": {"params": params}}
    if credential is not None:
        body["credential_id"] = find(api, NOUNS["credentials"], credential)["id"]
    return show_one(api.ask("POST", NOUNS["models"].path, body | fields), form)
