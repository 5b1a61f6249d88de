"""Compiles the settings in force again when a credential is about to expire, without holding anybody up."""

import threading
import time

import msgspec

from llmgw.errors import LlmgwError
from llmgw.providers.base import Provider
from llmgw.registry import Registry
from llmgw.settings.load import Loaded
from llmgw.settings.problems import Report
from llmgw.state import State
from llmgw.wiring import Compiled, compile_settings

_RETRY_SECONDS = 30.0


class Inputs(msgspec.Struct, frozen=True):
    """What a snapshot was compiled from. Kept, as the files may be unusable by the time of a renewal."""

    loaded: Loaded
    state: State
    providers: Registry[Provider]

    def compile(self, report: Report) -> Compiled:
        """The snapshot; see `compile_settings`."""
        loaded = self.loaded
        return compile_settings(loaded.settings, loaded.environment, self.state, report, self.providers)


class Renewal:
    """The renewals of what is in force, one at a time, each on a thread of its own.

    Asking a cloud for a credential may take its time; a change of the settings must not wait for it.
    """

    def __init__(self) -> None:
        self._inputs: Inputs | None = None
        self._due: float | None = None
        self._attempt: _Attempt | None = None

    def follow(self, inputs: Inputs, renew_at: float | None) -> None:
        """These inputs are in force, and should be compiled again at that time (Unix seconds)."""
        self._inputs, self._due = inputs, renew_at

    def poll(self) -> Compiled | LlmgwError | None:
        """What a renewal of the inputs in force has brought, if one has ended. Begins one that is due."""
        attempt = self._attempt
        if attempt is not None:
            if attempt.is_alive():
                return None
            self._attempt = None
            if attempt.inputs is self._inputs:  # else the settings have changed in the meantime
                return self._take(attempt)
        if self._inputs is not None and self._due is not None and time.time() >= self._due:
            self._attempt = _Attempt(self._inputs)
            self._attempt.start()
        return None

    def _take(self, attempt: "_Attempt") -> Compiled | LlmgwError:
        if isinstance(attempt.outcome, LlmgwError):
            self._due = time.time() + _RETRY_SECONDS
        else:
            self._due = attempt.outcome.renew_at
        return attempt.outcome


class _Attempt(threading.Thread):
    """One renewal."""

    def __init__(self, inputs: Inputs) -> None:
        super().__init__(name="llmgw-renewal", daemon=True)
        self.inputs = inputs
        self.outcome: Compiled | LlmgwError = RenewalError("the renewal ended without an outcome")

    def run(self) -> None:
        """Compile; the outcome is there when the thread has ended."""
        try:
            self.outcome = self.inputs.compile(Report())
        except LlmgwError as error:
            self.outcome = error
        except Exception as error:  # a provider may be foreign code; the next renewal must find us listening
            self.outcome = RenewalError(f"{type(error).__name__}: {error}")


class RenewalError(LlmgwError):
    """A renewal failed in a way that nobody thought of."""
