#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use std::collections::VecDeque;

const TTL: Duration = Duration::from_nanos(100);

fn key(number: u32) -> CacheKey {
    *blake3::hash(&number.to_le_bytes()).as_bytes()
}

fn value(size: usize) -> Bytes {
    Bytes::from(vec![b'v'; size])
}

fn cost(size: usize) -> usize {
    Cache::weigh(&value(size))
}

#[test]
fn what_is_put_is_got_until_it_expires() {
    let mut cache = Cache::new(1 << 20, TTL);
    assert!(cache.put(key(1), value(3), 1_000));
    assert_eq!(cache.get(&key(1), 1_099), Some(&value(3)));
    assert_eq!(cache.get(&key(1), 1_100), None);
    assert_eq!((cache.len(), cache.bytes()), (0, 0));
}

#[test]
fn reading_does_not_prolong_life() {
    let mut cache = Cache::new(1 << 20, TTL);
    cache.put(key(1), value(3), 0);
    cache.get(&key(1), 99);
    assert_eq!(cache.get(&key(1), 101), None);
}

#[test]
fn the_least_recently_used_goes_first() {
    let mut cache = Cache::new(3 * cost(10), TTL);
    for number in 1..=3 {
        cache.put(key(number), value(10), 0);
    }
    cache.get(&key(1), 0);
    cache.put(key(4), value(10), 0);
    let kept: Vec<u32> = (1..=4).filter(|number| cache.get(&key(*number), 0).is_some()).collect();
    assert_eq!(kept, [1, 3, 4]);
}

#[test]
fn a_large_value_pushes_out_as_many_as_it_needs() {
    let mut cache = Cache::new(4 * cost(1_000), TTL);
    for number in 1..=4 {
        cache.put(key(number), value(1_000), 0);
    }
    assert!(cache.put(key(5), value(2_000), 0));
    assert_eq!(cache.len(), 3);
    assert!(cache.bytes() <= 4 * cost(1_000));
}

#[test]
fn a_value_larger_than_the_cache_is_not_kept_and_replaces_nothing_else() {
    let mut cache = Cache::new(2 * cost(10), TTL);
    cache.put(key(1), value(10), 0);
    cache.put(key(2), value(10), 0);
    assert!(!cache.put(key(1), value(10_000), 0));
    assert_eq!(cache.get(&key(1), 0), None);
    assert!(cache.get(&key(2), 0).is_some());
}

#[test]
fn putting_again_replaces() {
    let mut cache = Cache::new(1 << 20, TTL);
    cache.put(key(1), value(10), 0);
    cache.put(key(1), value(20), 50);
    assert_eq!(cache.get(&key(1), 120), Some(&value(20)));
    assert_eq!((cache.len(), cache.bytes()), (1, cost(20)));
}

#[test]
fn clearing_leaves_nothing() {
    let mut cache = Cache::new(1 << 20, TTL);
    cache.put(key(1), value(10), 0);
    cache.clear();
    assert!(cache.is_empty());
    assert_eq!(cache.bytes(), 0);
    assert_eq!(cache.get(&key(1), 0), None);
}

/// The same store as one would write it on paper: a queue, searched from end to end.
struct Model {
    entries: VecDeque<(u32, usize, u64)>,
    max_bytes: usize,
}

impl Model {
    fn get(&mut self, number: u32, now: u64) -> Option<usize> {
        let at = self.entries.iter().position(|entry| entry.0 == number)?;
        let entry = self.entries.remove(at)?;
        (entry.2 > now).then(|| {
            self.entries.push_front(entry);
            entry.1
        })
    }

    fn put(&mut self, number: u32, size: usize, now: u64) {
        self.entries.retain(|entry| entry.0 != number);
        if cost(size) > self.max_bytes {
            return;
        }
        while self.bytes() + cost(size) > self.max_bytes {
            self.entries.pop_back();
        }
        self.entries.push_front((number, size, now + 100));
    }

    fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| cost(entry.1)).sum()
    }
}

#[test]
fn random_use_agrees_with_the_model() {
    for seed in 0..50 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let max_bytes = 10 * cost(100);
        let mut cache = Cache::new(max_bytes, TTL);
        let mut model = Model { entries: VecDeque::new(), max_bytes };
        let mut now = 0;
        for _ in 0..2_000 {
            now += rng.u64(..10);
            let number = rng.u32(..25);
            if rng.bool() {
                let largest = if rng.u8(..20) == 0 { 6_000 } else { 300 };
                let size = rng.usize(..largest);
                cache.put(key(number), value(size), now);
                model.put(number, size, now);
            } else {
                assert_eq!(cache.get(&key(number), now).map(Bytes::len), model.get(number, now));
            }
            assert_eq!((cache.bytes(), cache.len()), (model.bytes(), model.entries.len()));
        }
    }
}
