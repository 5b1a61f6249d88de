"""Credentials for a time."""

import threading

import pytest

from llmgw.providers.leases import Lease, LeaseError, Leases


class Source:
    """Hands out `token-1`, `token-2`, … for 1000 seconds each, or fails."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.fails = False

    def fetch(self) -> Lease[str]:
        self.asked += 1
        if self.fails:
            raise LeaseError("the service is down")
        return Lease(f"token-{self.asked}", self.now + 1000.0)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def leases(source: Source) -> Leases:
    return Leases(lambda: source.now)


def test_a_credential_is_fetched_once(leases: Leases, source: Source) -> None:
    first, second = (leases.get("a", source.fetch) for _ in range(2))
    assert (first.value, second.value, source.asked) == ("token-1", "token-1", 1)


def test_every_source_has_its_own(leases: Leases, source: Source) -> None:
    assert [leases.get(name, source.fetch).value for name in "aba"] == ["token-1", "token-2", "token-1"]


def test_it_is_renewed_ahead_of_its_expiry(leases: Leases, source: Source) -> None:
    assert leases.get("a", source.fetch).renew_at == 800.0
    source.now = 800.0
    assert leases.get("a", source.fetch).value == "token-2"


def test_a_short_one_is_renewed_in_its_last_quarter(leases: Leases, source: Source) -> None:
    held = leases.get("a", lambda: Lease("short", source.now + 40.0))
    assert held.renew_at == 30.0


def test_one_that_is_handed_out_again_just_before_its_end_is_not_asked_for_all_the_time(
    leases: Leases,
) -> None:
    assert leases.get("a", lambda: Lease("old", 0.1)).renew_at == 1.0


def test_one_that_cannot_be_renewed_is_used_until_it_expires(leases: Leases, source: Source) -> None:
    leases.get("a", source.fetch)
    source.fails, source.now = True, 900.0
    held = leases.get("a", source.fetch)
    assert (held.value, held.problem, held.renew_at) == ("token-1", "the service is down", 905.0)
    source.now = 1001.0
    assert leases.get("a", source.fetch).value is None


def test_a_failing_source_is_asked_less_and_less_often(leases: Leases, source: Source) -> None:
    source.fails = True
    waits = []
    for _ in range(6):
        held = leases.get("a", source.fetch)
        waits.append(held.renew_at - source.now)
        leases.get("a", source.fetch)
        source.now = held.renew_at
    assert (waits, source.asked) == ([5.0, 10.0, 20.0, 40.0, 60.0, 60.0], 6)


def test_after_a_failure_the_next_success_counts(leases: Leases, source: Source) -> None:
    source.fails = True
    source.now = leases.get("a", source.fetch).renew_at
    source.fails = False
    held = leases.get("a", source.fetch)
    assert (held.value, held.problem) == ("token-2", None)


def test_a_slow_renewal_holds_nobody_up(leases: Leases, source: Source) -> None:
    leases.get("a", source.fetch)
    source.now = 900.0
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> Lease[str]:
        begun.set()
        assert go_on.wait(10)
        return source.fetch()

    renewal = threading.Thread(target=leases.get, args=("a", slowly))
    renewal.start()
    assert begun.wait(10)
    assert leases.get("a", source.fetch).value == "token-1"
    go_on.set()
    renewal.join()
    assert (leases.get("a", source.fetch).value, source.asked) == ("token-2", 2)
