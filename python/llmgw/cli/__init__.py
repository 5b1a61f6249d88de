"""The command `llmgw`: errors as one sentence with a hint, and exit codes that a script can tell apart."""

import os
import sys
from collections.abc import Sequence

from llmgw.errors import LlmgwError

OK, FAILED, USAGE, REFUSED, UNHEALTHY = 0, 1, 2, 3, 4
"""Exit codes: done · failed · wrong usage · a key was refused · something needed is not well."""


class CommandError(LlmgwError):
    """A command fails: what was wrong, what to do, and the exit code."""

    def __init__(self, message: str, *, hint: str | None = None, status: int = FAILED) -> None:
        super().__init__(message)
        self.hint = hint
        self.status = status


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line (`sys.argv` unless given) and exit."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    arguments = list(arguments)
    debug = "--debug" in arguments
    if debug:
        arguments.remove("--debug")
    try:
        return _dispatch(arguments, debug=debug)
    except LlmgwError as error:
        if debug:
            raise
        print(f"llmgw: {error}", file=sys.stderr)
        if isinstance(error, CommandError) and error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.status if isinstance(error, CommandError) else FAILED
    except BrokenPipeError:  # the reader of our output has had enough: `llmgw keys list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        return 130


def _dispatch(arguments: list[str], *, debug: bool) -> int:
    """Parse and run. `serve` runs from here, when nothing of the parser is on the stack any more."""
    from llmgw.cli.app import parse  # noqa: PLC0415 - the parser is loaded when there is something to parse

    result = parse(arguments)
    if isinstance(result, int):
        return result
    from llmgw.server import serve  # noqa: PLC0415 - loaded for this command only

    serve(result if not debug else result.debugging())
