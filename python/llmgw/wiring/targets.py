"""An entry's parameters to a provider's target: references become secrets."""

from typing import Any, TypeVar

import msgspec

from llmgw.providers import split_model
from llmgw.providers.base import AwsAccess, AzureAccess, Target, VertexAccess
from llmgw.settings.environment import Environment
from llmgw.settings.models import Params
from llmgw.settings.problems import Path, Report
from llmgw.settings.secrets import SecretReference, UnresolvedReferenceError

S = TypeVar("S", bound=msgspec.Struct)

_OURS = {"model", "base_model", "api_base", "azure", "vertex", "aws", "default_identity"}
"""Fields of a target that are not the parameter of the same name."""


def compile_target(
    params: Params, environment: Environment, report: Report, at: Path, *, default_identity: bool
) -> Target | None:
    """The target of an entry; `None` if something in it was reported as an error."""
    if params.api_base and params.base_url:
        report.error((*at, "base_url"), "give either api_base or base_url")
        return None
    _, model = split_model(params.model, params.custom_llm_provider)
    resolver = _Resolver(params, environment, report, at)
    target = Target(
        model=model,
        api_base=params.api_base or params.base_url,
        azure=resolver.part(AzureAccess),
        vertex=resolver.part(VertexAccess),
        aws=resolver.part(AwsAccess),
        default_identity=default_identity,
        **resolver.fields(Target, leave_out=_OURS),
    )
    return target if resolver.sound else None


class _Resolver:
    """Takes parameters over by their names, and resolves those that are references."""

    def __init__(self, params: Params, environment: Environment, report: Report, at: Path) -> None:
        self._params = params
        self._environment = environment
        self._report = report
        self._at = at
        self.sound = True

    def part(self, kind: type[S]) -> S:
        """A struct whose fields are named as the parameters."""
        return kind(**self.fields(kind))

    def fields(self, kind: type[msgspec.Struct], leave_out: set[str] | None = None) -> dict[str, Any]:
        """The parameters of these names, with secrets in the place of references."""
        names = [name for name in kind.__struct_fields__ if name not in (leave_out or ())]
        return {name: self._value(name) for name in names}

    def _value(self, name: str) -> Any:
        value = getattr(self._params, name)
        if not isinstance(value, SecretReference):
            return value
        try:
            return value.resolve(self._environment)
        except UnresolvedReferenceError as error:
            self._report.error((*self._at, name), str(error))
            self.sound = False
            return None
