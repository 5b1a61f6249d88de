"""Commands run with a state folder and a working directory of their own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder, not made yet; the environment names no key, no gateway and no settings."""
    folder = tmp_path / "state"
    for name in ("MASTER_KEY", "CONFIG", "HOST", "PORT", "WORKERS", "URL", "API_KEY"):
        monkeypatch.delenv(f"LLMGW_{name}", raising=False)
        monkeypatch.delenv(f"LITELLM_{name}", raising=False)
    for name in ("PORT", "NUM_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLMGW_HOME", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder
