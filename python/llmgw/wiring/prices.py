"""What deployments cost: from what is known of their models to the native core's price lists."""

from llmgw.gateway.snapshot import LengthTier, Price, PricingPolicy, ServicePrice, TokenRates, UnitRates
from llmgw.providers.models import NO_PRICES, ModelFacts, Prices, Tier, TokenPrices
from llmgw.settings.problems import Report
from llmgw.settings.schema import Settings
from llmgw.settings.values import per_thousand_tokens

_BUILT_IN = "mock"
_FREE = Price(
    source="built in", rates=TokenRates(input=0, output=0), tiers=(), services=(), units=UnitRates()
)


def price_of(provider: str, facts: ModelFacts | None, source: str) -> Price | None:
    """The price list of a model; `None` if nothing is known of its price. The built-in mock is free."""
    if provider == _BUILT_IN:
        return _FREE
    if facts is None or facts.prices == NO_PRICES:
        return None
    prices = facts.prices
    services = sorted(prices.services.items())
    return Price(
        source=source,
        rates=_rates(prices),
        tiers=_tiers(prices.tiers),
        services=tuple(
            ServicePrice(service=service, rates=_rates(one), tiers=_tiers(one.tiers))
            for service, one in services
        ),
        units=_units(prices),
    )


def compile_pricing(settings: Settings, report: Report) -> PricingPolicy:
    """What happens with models of unknown price."""
    policy = settings.pricing
    if policy.unknown == "block" and settings.pass_through:
        report.warn(("pricing", "unknown"), "raw requests of pass_through have no price, and are not blocked")
    ceiling = policy.ceiling
    return PricingPolicy(
        unknown=policy.unknown,
        ceiling_input=0 if ceiling is None else per_thousand_tokens(ceiling.input),
        ceiling_output=0 if ceiling is None else per_thousand_tokens(ceiling.output),
    )


def _rates(prices: TokenPrices) -> TokenRates:
    """The prices of tokens, under the same names."""
    known = {name: getattr(prices, name) for name in TokenRates.__struct_fields__ if hasattr(prices, name)}
    return TokenRates(**known)


def _tiers(tiers: tuple[Tier, ...]) -> tuple[LengthTier, ...]:
    return tuple(LengthTier(above=tier.above, rates=_rates(tier)) for tier in tiers)


def _units(prices: Prices) -> UnitRates:
    """The prices of what is not counted in tokens, under the same names."""
    return UnitRates(**{name: getattr(prices, name) for name in UnitRates.__struct_fields__})
