"""Retries, rests and deadlines, from LiteLLM's names to ours."""

from llmgw import errors
from llmgw.gateway.snapshot import RetryPolicy, Timeouts
from llmgw.settings.problems import Report
from llmgw.settings.schema import RetryCounts, Settings

_RETRIES = 2
_ALLOWED_FAILS = 3
_BACKOFF_BASE = 0.5
_BACKOFF_MAX = 8.0
_FIRST_BYTE = 600.0
_IDLE = 300.0
_TOTAL = 3600.0

_CLASSES: dict[str, tuple[type[errors.GatewayError], ...]] = {
    "timeout_error_retries": (errors.UpstreamTimeout,),
    "rate_limit_error_retries": (errors.UpstreamRateLimited,),
    "internal_server_error_retries": (errors.UpstreamOverloaded, errors.UpstreamProtocol),
    "service_unavailable_error_retries": (errors.UpstreamOverloaded, errors.UpstreamUnreachable),
}
"""LiteLLM tells 500 from 503 where we have one class; the larger number counts."""

_NEVER_RETRIED = {
    "bad_request_error_retries": "BadRequestErrorRetries",
    "authentication_error_retries": "AuthenticationErrorRetries",
    "content_policy_violation_error_retries": "ContentPolicyViolationErrorRetries",
    "not_found_error_retries": "NotFoundErrorRetries",
}


def compile_retries(settings: Settings, report: Report) -> RetryPolicy:
    """The retry policy; what LiteLLM would do and we do not is warned of."""
    router, module = settings.router_settings, settings.litellm_settings
    if router.routing_strategy != "simple-shuffle":
        path = ("router_settings", "routing_strategy")
        report.warn(path, f"'{router.routing_strategy}' is not served yet; simple-shuffle is used")
    counts = router.retry_policy
    for field, name in _NEVER_RETRIED.items():
        if getattr(counts, field):
            report.warn(("router_settings", "retry_policy", name), "such a failure is not retried")
    return RetryPolicy(
        retries=_given(counts.default_retries, router.num_retries, module.num_retries, _RETRIES),
        by_class=_by_class(counts),
        backoff_base=router.retry_after or _BACKOFF_BASE,
        backoff_max=max(_BACKOFF_MAX, router.retry_after),
        allowed_fails=_given(router.allowed_fails, module.allowed_fails, _ALLOWED_FAILS),
        cooldown=router.cooldown_time,
    )


def default_timeouts(settings: Settings) -> Timeouts:
    """The deadlines of a deployment that gives none of its own.

    `timeout` bounds the wait for the reply, not its length: a stream may run on for as long as
    `total_timeout` while pieces keep coming. LiteLLM's own timeout works like this too.
    """
    router, module = settings.router_settings, settings.litellm_settings
    first_byte = router.timeout or module.request_timeout or _FIRST_BYTE
    return Timeouts(
        connect=router.connect_timeout,
        first_byte=first_byte,
        idle=router.stream_timeout or min(first_byte, _IDLE),
        total=router.total_timeout or _TOTAL,
    )


def _by_class(counts: RetryCounts) -> dict[str, int]:
    by_class: dict[str, int] = {}
    for field, classes in _CLASSES.items():
        count: int | None = getattr(counts, field)
        if count is None:
            continue
        for error in classes:
            by_class[error.__name__] = max(count, by_class.get(error.__name__, 0))
    return by_class


def _given(*values: int | None) -> int:
    """The first that is given; the last one always is."""
    return next(value for value in values if value is not None)
