#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

const NEWCOMER: u64 = 99;

/// One set, its slots holding ids 1 to 16 with these TATs.
fn set_of(tats: [u64; WAYS]) -> Vec<Bucket> {
    let packed = |(at, tat): (usize, u64)| u128::from(at as u64 + 1) << 64 | u128::from(tat);
    tats.into_iter().enumerate().map(packed).map(Bucket::new).collect()
}

fn random_set(rng: &mut fastrand::Rng) -> Vec<Bucket> {
    set_of(std::array::from_fn(|_| rng.u64(..4) * GRACE))
}

#[test]
fn newcomers_whose_clocks_differ_agree_on_the_slot() {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut agreed = 0;
    for _ in 0..10_000 {
        let slots = random_set(&mut rng);
        let (early, late) = (rng.u64(..5) * GRACE, rng.u64(..5) * GRACE);
        let table = Table(&slots);
        if let (Some(one), Some(two)) = (table.find(NEWCOMER, early), table.find(NEWCOMER, late)) {
            assert!(std::ptr::eq(one.slot, two.slot));
            agreed += 1;
        }
    }
    assert!(agreed > 1_000);
}

#[test]
fn of_two_that_found_a_slot_the_second_to_write_looks_again_and_finds_the_first() {
    let slots = set_of([0; WAYS]);
    let table = Table(&slots);
    let (one, two) =
        (table.find(NEWCOMER, 2 * GRACE).unwrap(), table.find(NEWCOMER, 2 * GRACE).unwrap());
    assert!(table.replace(&one, NEWCOMER, 3 * GRACE));
    assert!(!table.replace(&two, NEWCOMER, 3 * GRACE));
    let again = table.find(NEWCOMER, 2 * GRACE).unwrap();
    assert_eq!((again.is_new, again.tat), (false, 3 * GRACE));
}

#[test]
fn a_resident_that_is_charged_keeps_its_slot() {
    let slots = set_of([0; WAYS]);
    let table = Table(&slots);
    let found = table.find(NEWCOMER, 2 * GRACE).unwrap();
    let resident = table.find(1, 2 * GRACE).unwrap();
    assert!(table.replace(&resident, 1, 3 * GRACE));
    assert!(!table.replace(&found, NEWCOMER, 3 * GRACE));
    assert_eq!(table.find(1, 2 * GRACE).unwrap().tat, 3 * GRACE);
}

#[test]
fn a_bucket_keeps_its_slot_until_it_has_been_full_for_the_grace() {
    let slots = set_of([5 * GRACE; WAYS]);
    let table = Table(&slots);
    assert!(table.find(NEWCOMER, 6 * GRACE - 1).is_none());
    assert!(table.find(NEWCOMER, 6 * GRACE).is_some());
}

#[test]
fn an_empty_slot_is_taken_before_a_used_one() {
    let slots = set_of(std::array::from_fn(|at| at as u64 + 1));
    slots[7].store(0, std::sync::atomic::Ordering::Relaxed);
    let table = Table(&slots);
    assert!(std::ptr::eq(table.find(NEWCOMER, 2 * GRACE).unwrap().slot, &slots[7]));
}

#[test]
fn no_id_is_mistaken_for_an_empty_slot() {
    assert_ne!(tag(0), 0);
    assert_ne!(tag(7 << 64 | 7), 0);
}
