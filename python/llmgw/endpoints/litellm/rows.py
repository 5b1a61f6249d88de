"""A row of LiteLLM's admin API: a call of the admin API, its body and errors in LiteLLM's words."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec

from llmgw.access.rbac import Permission
from llmgw.endpoints.api import calls
from llmgw.endpoints.api.bodies import fault_of
from llmgw.endpoints.api.calls import Work
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.base import JSON, Access, Contract, Endpoint, Reply, Request
from llmgw.endpoints.problems import Fault, Kind, Problem, of_store
from llmgw.store.errors import StoreError

T = TypeVar("T")
Fields = dict[str, Any]

_TYPES = {403: "permission_error", 404: "not_found_error", 503: "api_error"}
_NO_FINAL = ("x-should-retry", "false")


def row(
    desk: Desk,
    method: str,
    path: str,
    permission: Permission | Access,
    summary: str,
    work: Work,
    contract: Contract,
) -> Endpoint:
    """A row; it answers with fields. The contract's body is described, and `work` gets it as it came."""
    body, reply = contract.body, contract.reply or Fields
    loose = msgspec.structs.replace(contract, body=None if body is None else Fields, reply=reply)
    made = calls.row(desk, method, path, permission, summary, work, loose)
    inner = made.handler
    if inner is None or made.contract is None:  # `calls.row` gives both
        return made

    async def handler(request: Request) -> Reply:
        try:
            return await inner(_with_body(request, wanted=body is not None))
        except Problem as problem:
            return refusal(problem)
        except StoreError as error:
            told = of_store(error)
            if not isinstance(told, Problem):
                raise
            return refusal(told)

    strict = msgspec.structs.replace(made.contract, body=body)
    return msgspec.structs.replace(made, handler=handler, contract=strict)


def refusal(problem: Problem) -> Reply:
    """A problem as LiteLLM's clients read it: OpenAI's errors, in which a body that is not taken is a 400."""
    status = problem.kind.status
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        status = int(HTTPStatus.BAD_REQUEST)
    faults = [f"{each.pointer.lstrip('/')}: {each.detail}".lstrip(": ") for each in problem.errors]
    error = {
        "message": " ".join([problem.detail, *faults]),
        "type": _TYPES.get(status, "invalid_request_error"),
        "param": next((each.pointer.lstrip("/") or None for each in problem.errors), None),
        "code": problem.kind.slug.replace("-", "_"),
    }
    return Reply(status=status, headers=(JSON, _NO_FINAL), body=msgspec.json.encode({"error": error}))


def taken(body: Mapping[str, Any], kind: type[T], unkept: frozenset[str] = frozenset()) -> T:
    """The body's fields. Those that LiteLLM knows and llmgw does not may only say nothing.

    Raises:
        Problem: one says something, is unknown, or is not what is taken here.
    """
    said = {name: value for name, value in body.items() if name not in unkept or value}
    if refused := sorted(unkept & said.keys()):
        faults = [Fault(f"/{name}", "this field of LiteLLM's has nothing like it here") for name in refused]
        raise Problem(Kind.INVALID_BODY, "The request asks for what cannot be honoured.", faults)
    return converted(said, kind)


def converted(fields: Mapping[str, Any], kind: type[T]) -> T:
    """Fields as a struct, or as a body of the admin API.

    Raises:
        Problem: they are not what is taken there.
    """
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        detail = "The body is not what is taken here."
        raise Problem(Kind.INVALID_BODY, detail, [fault_of(str(error))]) from None
    except ArithmeticError:
        raise Problem(Kind.INVALID_BODY, "The body holds a value that cannot be read.") from None


def said(body: msgspec.Struct, names: Mapping[str, str]) -> Fields:
    """The fields that were sent, by their names in the admin API (`names`: LiteLLM's to ours)."""
    return {ours: it for name, ours in names.items() if (it := getattr(body, name)) is not msgspec.UNSET}


def bad(field: str, detail: str) -> Problem:
    """A field of the body whose value cannot be honoured."""
    return Problem(Kind.INVALID_BODY, "The body is not what is taken here.", [Fault(f"/{field}", detail)])


def _with_body(request: Request, *, wanted: bool) -> Request:
    """The request; a body that is left out has no fields."""
    if not wanted or request.body.strip():
        return request
    headers = {**request.headers, "content-type": "application/json"}
    return msgspec.structs.replace(request, body=b"{}", headers=headers)
