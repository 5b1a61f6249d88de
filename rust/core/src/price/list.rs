//! A price list made ready: what it leaves out is filled in once, and not for every reply.

use super::rates::{Rates, Sum};
use super::{Cost, Served, Status};
use crate::snapshot::{LengthTier, Price, ServicePrice, TokenRates, UnitRates};
use crate::usage::{Service, Usage};

/// What prices of one are multiplied by, as those of tokens are of a thousand.
const THOUSAND: u64 = 1000;

/// What a deployment's model costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceList {
    /// Where it is from: `settings`, `catalogue 2026-11-25`.
    pub source: String,
    usual: ByLength,
    others: Vec<(Service, ByLength)>,
    units: UnitRates,
    /// Everything in it costs nothing.
    is_free: bool,
}

/// Prices by the length of the input: the longest tier that is passed holds for the whole request.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ByLength {
    short: Rates,
    /// The shortest first.
    tiers: Vec<(u64, Rates)>,
}

impl PriceList {
    /// Makes a list ready.
    #[must_use]
    pub fn new(price: Price) -> Self {
        let usual = ByLength::new(&price.rates, &price.tiers);
        let others = price.services.iter();
        let others =
            others.map(|one| (one.service, ByLength::of_service(one, &price.rates, &usual)));
        let mut list = PriceList {
            others: others.collect(),
            usual,
            units: price.units,
            is_free: false,
            source: price.source,
        };
        list.is_free = !list.all().any(Rates::charge) && !list.units_charge();
        list
    }

    /// What a reply costs; `None` if it is no amount of money.
    #[must_use]
    pub fn cost(&self, usage: &Usage, served: &Served) -> Option<Cost> {
        let none = Usage::default();
        // Who sells by the piece alone tells tokens that cost nothing.
        let usage = if self.has_units() && !self.usual.short.is_known() { &none } else { usage };
        let (prices, is_listed) = self.served_by(usage.service);
        let mut sum = prices.at(usage.input).sum(usage);
        self.add_units(usage.input > 0 || usage.output > 0, served, &mut sum);
        let nano_dollars = sum.rounded()?;
        let status = if sum.is_partial || !is_listed {
            Status::Partial
        } else if self.is_free {
            Status::Free
        } else {
            Status::Priced
        };
        Some(Cost { nano_dollars, status })
    }

    /// The most that a reply can cost within these bounds: every token at the dearest price that it could
    /// have, in whatever way it is served. Saturates.
    #[must_use]
    pub fn ceiling(&self, input: u64, output: u64, most: &Served) -> u64 {
        let all = [&self.usual].into_iter().chain(self.others.iter().map(|(_, one)| one));
        let dearest = all.flat_map(|one| one.up_to(input)).map(|rates| {
            let mut sum = Sum::default();
            rates.add_most(input, output, &mut sum);
            self.add_units(false, most, &mut sum);
            sum.rounded().unwrap_or(u64::MAX)
        });
        dearest.max().unwrap_or(u64::MAX)
    }

    /// Whether anything costs something.
    #[must_use]
    pub fn charges(&self) -> bool {
        !self.is_free
    }

    /// Whether tokens cost something.
    #[must_use]
    pub fn charges_tokens(&self) -> bool {
        self.all().any(Rates::charge)
    }

    /// Whether something is charged that is not counted in tokens.
    #[must_use]
    pub fn has_units(&self) -> bool {
        self.units != UnitRates::default()
    }

    /// The prices of a way to be served, and whether the list has it: if not, the usual ones stand in.
    fn served_by(&self, service: Service) -> (&ByLength, bool) {
        let found = self.others.iter().find(|(one, _)| *one == service);
        let is_usual = service == Service::Standard || self.is_free;
        found.map_or((&self.usual, is_usual), |(_, prices)| (prices, true))
    }

    /// Adds what is not counted in tokens. Images and seconds are another measure of what tokens measure
    /// too: where tokens are told and cost something, they are not charged on top.
    fn add_units(&self, tells_tokens: bool, served: &Served, sum: &mut Sum) {
        let units = &self.units;
        sum.add_times(1, units.per_request.unwrap_or(0), THOUSAND);
        let mut add = |count: Option<u64>, rate: Option<u64>, each: u64| match (count, rate) {
            (_, None) => {}
            (Some(count), Some(rate)) => sum.add_times(count, rate, each),
            (None, Some(rate)) => sum.is_partial |= rate > 0,
        };
        add(served.pages, units.per_page, THOUSAND);
        add(served.queries, units.per_query, THOUSAND);
        if !(tells_tokens && self.usual.short.charge()) {
            add(served.images, units.per_image, THOUSAND);
            add(served.images_seen, units.per_image_seen, THOUSAND);
            add(served.milliseconds, units.per_second, 1);
            add(served.milliseconds_heard, units.per_second_heard, 1);
            add(served.characters, units.characters, 1);
        }
    }

    fn all(&self) -> impl Iterator<Item = &Rates> {
        let all = [&self.usual].into_iter().chain(self.others.iter().map(|(_, one)| one));
        all.flat_map(|one| one.up_to(u64::MAX))
    }

    fn units_charge(&self) -> bool {
        let UnitRates {
            per_request,
            per_image,
            per_image_seen,
            per_second,
            per_second_heard,
            characters,
            per_page,
            per_query,
        } = self.units;
        let spoken = [per_second, per_second_heard, characters];
        let others = [per_request, per_image, per_image_seen, per_page, per_query];
        spoken.iter().chain(&others).flatten().any(|price| *price > 0)
    }
}

impl ByLength {
    fn new(rates: &TokenRates, tiers: &[LengthTier]) -> Self {
        let mut tiers: Vec<_> =
            tiers.iter().map(|tier| (tier.above, Rates::new(&over(&tier.rates, rates)))).collect();
        tiers.sort_by_key(|(above, _)| *above);
        ByLength { short: Rates::new(rates), tiers }
    }

    /// The prices of a way to be served. What it leaves out is as usual, and said to be lent.
    fn of_service(one: &ServicePrice, rates: &TokenRates, usual: &ByLength) -> Self {
        let filled = filled(&one.rates, rates);
        let lent = Rates::new(&one.rates).missing_of(&Rates::new(&filled));
        let mut own = ByLength::new(&filled, &one.tiers);
        if one.tiers.is_empty() {
            own.tiers = usual.tiers.iter().map(|(above, tier)| (*above, tier.all_lent())).collect();
        }
        own.short = own.short.lent(&lent);
        own
    }

    /// The prices of a request with so much input.
    fn at(&self, input: u64) -> &Rates {
        let passed = self.tiers.iter().rev().find(|(above, _)| input > *above);
        passed.map_or(&self.short, |(_, rates)| rates)
    }

    /// All prices that a request with no more input than that can have.
    fn up_to(&self, input: u64) -> impl Iterator<Item = &Rates> {
        let passed = self.tiers.iter().filter(move |(above, _)| input > *above);
        [&self.short].into_iter().chain(passed.map(|(_, rates)| rates))
    }
}

/// The prices of a tier: what it leaves out is as in shorter requests. A part that is no cheaper than its
/// whole there is none here either.
fn over(tier: &TokenRates, base: &TokenRates) -> TokenRates {
    let input = |own: Option<u64>, short| own.or_else(|| kept(short, base.input, tier.input));
    let output = |own: Option<u64>, short| own.or_else(|| kept(short, base.output, tier.output));
    TokenRates {
        input: tier.input.or(base.input),
        output: tier.output.or(base.output),
        cached: input(tier.cached, base.cached),
        cache_write: input(tier.cache_write, base.cache_write),
        cache_write_1h: input(tier.cache_write_1h, base.cache_write_1h),
        reasoning: output(tier.reasoning, base.reasoning),
        audio_input: input(tier.audio_input, base.audio_input),
        audio_output: output(tier.audio_output, base.audio_output),
        audio_cached: input(tier.audio_cached, base.audio_cached),
        image_input: input(tier.image_input, base.image_input),
        image_output: output(tier.image_output, base.image_output),
    }
}

/// The prices of a way to be served, with usual ones where it has none that could stand in, or none as dear.
fn filled(own: &TokenRates, usual: &TokenRates) -> TokenRates {
    let part =
        |one: Option<u64>, usual: Option<u64>, own_whole: Option<u64>, whole: Option<u64>| {
            one.or_else(|| usual.filter(|_| own_whole.is_none() || usual > whole))
        };
    let input = |one, other| part(one, other, own.input, usual.input);
    let output = |one, other| part(one, other, own.output, usual.output);
    TokenRates {
        input: own.input.or(usual.input),
        output: own.output.or(usual.output),
        cached: input(own.cached, usual.cached),
        cache_write: input(own.cache_write, usual.cache_write),
        cache_write_1h: input(own.cache_write_1h, usual.cache_write_1h),
        reasoning: output(own.reasoning, usual.reasoning),
        audio_input: input(own.audio_input, usual.audio_input),
        audio_output: output(own.audio_output, usual.audio_output),
        audio_cached: input(own.audio_cached, usual.audio_cached),
        image_input: input(own.image_input, usual.image_input),
        image_output: output(own.image_output, usual.image_output),
    }
}

/// The price of a part in shorter requests, as it is kept in longer ones.
fn kept(part: Option<u64>, short_whole: Option<u64>, long_whole: Option<u64>) -> Option<u64> {
    match (part?, long_whole) {
        (part, Some(whole)) if Some(part) >= short_whole => Some(part.max(whole)),
        (part, _) => Some(part),
    }
}
