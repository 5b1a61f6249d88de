//! Laws that hold for all prices and all usages.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::snapshot::{LengthTier, Price, ServicePrice, TokenRates, UnitRates};
use crate::usage::Service;

const FREE: PricingPolicy =
    PricingPolicy { unknown: UnknownPrice::Free, ceiling_input: 0, ceiling_output: 0 };
const ROUNDS: usize = 20_000;

fn text(input: u64, output: u64) -> Price {
    Price {
        source: "settings".into(),
        rates: TokenRates { input: Some(input), output: Some(output), ..TokenRates::default() },
        tiers: Vec::new(),
        services: Vec::new(),
        units: UnitRates::default(),
    }
}

fn some(rng: &mut fastrand::Rng) -> Option<u64> {
    rng.bool().then(|| rng.u64(0..20_000_000))
}

fn rates(rng: &mut fastrand::Rng) -> TokenRates {
    TokenRates {
        input: some(rng),
        output: some(rng),
        cached: some(rng),
        cache_write: some(rng),
        cache_write_1h: some(rng),
        reasoning: some(rng),
        audio_input: some(rng),
        audio_output: some(rng),
        audio_cached: some(rng),
        image_input: some(rng),
        image_output: some(rng),
    }
}

fn tiers(rng: &mut fastrand::Rng) -> Vec<LengthTier> {
    (0..rng.usize(0..3))
        .map(|_| LengthTier { above: rng.u64(1..100_000), rates: rates(rng) })
        .collect()
}

fn price(rng: &mut fastrand::Rng) -> Price {
    let services = [Service::Batch, Service::Flex, Service::Priority];
    let mut kept = Vec::new();
    for service in services {
        if rng.bool() {
            kept.push(ServicePrice { service, rates: rates(rng), tiers: tiers(rng) });
        }
    }
    Price {
        source: "settings".into(),
        rates: rates(rng),
        tiers: tiers(rng),
        services: kept,
        units: UnitRates {
            per_request: some(rng),
            per_image: some(rng),
            per_second_heard: some(rng),
            characters: some(rng),
            per_query: some(rng),
            ..UnitRates::default()
        },
    }
}

fn usage(rng: &mut fastrand::Rng) -> Usage {
    let mut part = || rng.u64(0..100_000);
    let (input, output) = (part(), part());
    let parts: [u64; 9] = std::array::from_fn(|_| part());
    let [cache_read, cache_write, cache_write_1h, reasoning, rest @ ..] = parts;
    let [audio_input, audio_output, audio_cached, image_input, image_output] = rest;
    let service = rng.choice([
        Service::Standard,
        Service::Batch,
        Service::Flex,
        Service::Priority,
        Service::Other,
    ]);
    Usage {
        input,
        output,
        cache_read,
        cache_write,
        cache_write_1h,
        reasoning,
        audio_input,
        audio_output,
        audio_cached,
        image_input,
        image_output,
        service: service.unwrap(),
    }
}

fn served(rng: &mut fastrand::Rng) -> Served {
    Served {
        images: Some(rng.u64(0..10)),
        milliseconds_heard: Some(rng.u64(0..100_000)),
        characters: Some(rng.u64(0..5_000)),
        queries: Some(rng.u64(0..5)),
        ..Served::default()
    }
}

#[test]
fn no_reply_costs_more_than_its_ceiling() {
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..ROUNDS {
        let list = PriceList::new(price(&mut rng));
        let (usage, served) = (usage(&mut rng), served(&mut rng));
        let input = usage.input + rng.u64(0..3) * 20_000;
        let output = usage.output + rng.u64(0..3) * 20_000;
        let cost = cost(Some(&list), &FREE, &usage, &served);
        let most = ceiling(Some(&list), &FREE, input, output, &served);
        assert!(cost.nano_dollars <= most, "{list:?} {usage:?} {served:?}: {cost:?} {most}");
    }
}

#[test]
fn every_token_is_charged_once() {
    let mut rng = fastrand::Rng::with_seed(2);
    // All tokens at one price: however they are taken apart, the sum is that of the wholes.
    let list = PriceList::new(text(3_000, 3_000));
    for _ in 0..ROUNDS {
        let usage = Usage { service: Service::Standard, ..usage(&mut rng) };
        let cost = list.cost(&usage, &Served::default()).unwrap();
        assert_eq!(cost.nano_dollars, (usage.input + usage.output) * 3, "{usage:?}");
    }
}

#[test]
fn more_tokens_of_one_kind_never_cost_less() {
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..ROUNDS {
        let list = PriceList::new(Price { tiers: Vec::new(), ..price(&mut rng) });
        let less = Usage { service: Service::Standard, ..usage(&mut rng) };
        let more = Usage { output: less.output + rng.u64(0..1000), ..less };
        let [less, more] =
            [less, more].map(|one| list.cost(&one, &Served::default()).unwrap().nano_dollars);
        assert!(less <= more);
    }
}

#[test]
fn a_half_is_rounded_up_once_and_not_in_every_part() {
    let list = PriceList::new(text(500, 499));
    let cost = |input, output| {
        let usage = Usage { input, output, ..Usage::default() };
        list.cost(&usage, &Served::default()).unwrap().nano_dollars
    };
    assert_eq!((cost(1, 0), cost(0, 1), cost(1, 1), cost(1, 3)), (1, 0, 1, 2));
}

#[test]
fn numbers_that_are_no_money_are_no_price_rather_than_less() {
    let list = PriceList::new(text(u64::MAX, u64::MAX));
    let usage = Usage { input: u64::MAX, output: u64::MAX, ..Usage::default() };
    assert_eq!(list.cost(&usage, &Served::default()), None);
    assert_eq!(cost(Some(&list), &FREE, &usage, &Served::default()), Cost::UNPRICED);
    assert_eq!(list.ceiling(u64::MAX, u64::MAX, &Served::default()), u64::MAX);
}

#[test]
fn the_ceiling_of_an_unknown_price_is_the_settings_own() {
    let policy = PricingPolicy {
        unknown: UnknownPrice::Ceiling,
        ceiling_input: 2_000,
        ceiling_output: 8_000,
    };
    let usage = Usage { input: 10, output: 5, reasoning: 5, cache_read: 9, ..Usage::default() };
    let found = cost(None, &policy, &usage, &Served::default());
    assert_eq!(found, Cost { nano_dollars: 60, status: Status::Ceiling });
    assert_eq!(ceiling(None, &policy, 10, 5, &Served::default()), 60);
    assert_eq!(cost(None, &FREE, &usage, &Served::default()), Cost::UNPRICED);
}
