"""LiteLLM's side of the comparison, a program of its own: it runs where LiteLLM is installed.

Each line of its input is a job: the format of an upstream, where it listens, what chooses the model, and the
body of a chat completion. For each it writes a line: the reply as LiteLLM tells it, or why there is none.
What LiteLLM sent is in the upstream's records.
"""

import json
import os
import sys
import warnings
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # nothing is fetched
warnings.simplefilter("ignore")

import litellm  # type: ignore[import-not-found]  # noqa: E402

# Where the paths of each upstream begin.
ROOTS = {
    "anthropic_messages": "",
    "gemini_generate": "/v1beta",
    "bedrock_converse": "",
    "cohere_chat": "/v2/chat",
}


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """What came of one job."""
    place = "aws_bedrock_runtime_endpoint" if job["wire"] == "bedrock_converse" else "api_base"
    options = {place: job["root"] + ROOTS[job["wire"]], "drop_params": True, "num_retries": 0, "timeout": 20}
    try:
        reply = litellm.completion(**{**job["body"], **job["params"], **options})
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"reply": reply.model_dump()}


def main() -> None:
    """Answer jobs until there are none."""
    litellm.suppress_debug_info = True
    told = sys.stdout
    sys.stdout = sys.stderr  # what a library prints is no answer
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line)), default=str), file=told, flush=True)


if __name__ == "__main__":
    main()
