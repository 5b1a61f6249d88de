"""Every error of the store, and of requests, is a problem with its status."""

import pytest

from llmgw.endpoints.problems import PREFIX, Fault, Kind, Problem, document_of
from llmgw.errors import TABLE, LlmgwError
from llmgw.store.errors import Conflict, Missing, NotWithin, Stale, StoreMisfit, StoreUnavailable
from llmgw.store.noun import Refused
from llmgw.store.paging import BadCursor


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Missing("team", "team_1"), Kind.NOT_FOUND),
        (Missing("place for a", "team"), Kind.PERMISSION_DENIED),
        (Conflict("two owners"), Kind.CONFLICT),
        (Stale("team", "team_1", 3), Kind.STALE),
        (NotWithin(["models: no"]), Kind.BEYOND_PARENT),
        (BadCursor("none"), Kind.INVALID_REQUEST),
        (Refused("unknown"), Kind.INVALID_BODY),
        (StoreUnavailable("gone: postgresql://user:canary@host"), Kind.STORE_UNAVAILABLE),
        (StoreMisfit("old"), Kind.STORE_UNAVAILABLE),
    ],
)
def test_an_error_of_the_store_is_a_problem(error: LlmgwError, kind: Kind) -> None:
    document = document_of(error, "req_1")
    assert (document.type, document.status) == (PREFIX + kind.slug, kind.status)
    assert document.request_id == "req_1"
    assert "canary" not in document.detail


def test_what_the_driver_says_of_a_conflict_is_not_told() -> None:
    document = document_of(Conflict("the database refuses it: UNIQUE constraint failed: keys.alias"), "")
    assert "keys.alias" not in document.detail


def test_each_thing_that_is_beyond_a_parent_has_its_pointer() -> None:
    document = document_of(NotWithin(["models: no", "budgets: no"]), "")
    assert [fault.pointer for fault in document.errors] == ["/models", "/budgets"]


@pytest.mark.parametrize("kind", TABLE)
def test_an_error_of_requests_has_its_code_as_its_kind(kind: type[LlmgwError]) -> None:
    error = kind("why")
    document = document_of(error, "")
    assert document.type == PREFIX + error.code.replace("_", "-")  # type: ignore[attr-defined]
    assert (document.status, document.detail) == (error.status, "why")  # type: ignore[attr-defined]


def test_a_problem_keeps_its_faults() -> None:
    fault = Fault("/name", "no")
    assert document_of(Problem(Kind.INVALID_BODY, "no", [fault]), "").errors == [fault]


def test_an_error_of_our_own_is_told_without_its_words() -> None:
    document = document_of(LlmgwError("canary"), "")
    assert document.status == 500
    assert "canary" not in document.detail
