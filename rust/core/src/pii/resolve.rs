//! From overlapping findings to disjoint ones.

use super::Finding;
use std::cmp::Ordering;

/// Appends the findings that win: the better rank (smaller), then score, length and place.
pub(super) fn disjoint(ranked: &mut [(usize, Finding)], out: &mut Vec<Finding>) {
    ranked.sort_unstable_by(better);
    let mut chosen: Vec<Finding> = Vec::with_capacity(ranked.len());
    for (_, finding) in ranked.iter() {
        let place = chosen.partition_point(|other| other.start < finding.start);
        let free_before = place == 0 || chosen[place - 1].end <= finding.start;
        let free_after = chosen.get(place).is_none_or(|next| finding.end <= next.start);
        if free_before && free_after {
            chosen.insert(place, *finding);
        }
    }
    out.append(&mut chosen);
}

fn better((a_rank, a): &(usize, Finding), (b_rank, b): &(usize, Finding)) -> Ordering {
    a_rank
        .cmp(b_rank)
        .then(b.score.total_cmp(&a.score))
        .then((b.end - b.start).cmp(&(a.end - a.start)))
        .then(a.start.cmp(&b.start))
}
