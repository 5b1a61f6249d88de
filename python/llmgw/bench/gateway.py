"""The gateway as a user starts it: a settings file, the public command, one worker."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

VARIANTS: dict[str, dict[str, object]] = {
    "plain": {},
    "pii": {"pii": {"mode": "monitor"}},
    "cache": {"cache": {}},
    "unledgered": {"ledger": {"enabled": False}},
}
"""What the settings of each variant hold beside those of `plain`."""

_NEVER_REACHED = 2**40
"""A limit per minute: kept and counted for every request, and never in the way."""


def write_settings(
    folder: Path, variant: str, *, models: Mapping[str, str], upstream_port: int, key: str
) -> Path:
    """The settings file of a variant, in JSON, which is YAML too."""
    settings = {
        "model_list": [
            {
                "model_name": public,
                "litellm_params": {
                    "model": f"openai/{upstream}",
                    "api_base": f"http://127.0.0.1:{upstream_port}/v1",
                    "api_key": "none",
                },
                # So that tokens are counted as for a model people use.
                "model_info": {"base_model": "gpt-4o"},
            }
            for public, upstream in models.items()
        ],
        "keys": [{"alias": "bench", "key": key, "rpm_limit": _NEVER_REACHED, "tpm_limit": _NEVER_REACHED}],
        **VARIANTS[variant],
    }
    path = folder / "llmgw.yaml"
    path.write_text(json.dumps(settings, indent=1))
    return path


def command(settings: Path, port: int) -> list[str]:
    """The public command, one worker."""
    options = ["--config", str(settings), "--port", str(port), "--workers", "1"]
    return [sys.executable, "-m", "llmgw", "serve", *options]


def environment(home: Path, master_key: str) -> dict[str, str]:
    """This process's environment, with a home and an admin key of the gateway's own."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("LLMGW_")}
    return inherited | {
        "LLMGW_HOME": str(home),
        "LLMGW_MASTER_KEY": master_key,
        # The gateway starts in a folder of its own, where relative paths would lead nowhere.
        "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path),
    }
