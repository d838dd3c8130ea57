//! Promises stock to many placements at once.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::Level;
use crate::{
    id::{LineId, LocationId, VariantId},
    refusal::Shortage,
};

/// What one line of a placement needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The line.
    pub line_id: LineId,
    /// What it needs.
    pub variant_id: VariantId,
    /// How many; positive.
    pub quantity: i64,
}

/// Stock promised to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// The line that it is promised to.
    pub line_id: LineId,
    /// What is promised.
    pub variant_id: VariantId,
    /// Where it lies, or will lie.
    pub location_id: LocationId,
    /// How many.
    pub quantity: i64,
    /// How many of them are not on hand yet.
    pub backordered: i64,
}

/// The levels that a batch of placements needs, by variant and in the order of their priority.
#[derive(Clone, Debug, Default)]
pub struct Levels(HashMap<VariantId, Vec<Level>>);

impl Levels {
    /// Sorts the levels of each variant by priority, ties by location.
    pub fn new(levels: impl IntoIterator<Item = Level>) -> Self {
        let mut by_variant: HashMap<VariantId, Vec<Level>> = HashMap::new();
        for level in levels {
            by_variant.entry(level.variant_id).or_default().push(level);
        }
        for levels in by_variant.values_mut() {
            levels.sort_by_key(|level| (level.priority, level.location_id));
        }
        Self(by_variant)
    }

    /// How many of a variant can be promised over all locations.
    pub fn available(&self, variant_id: VariantId) -> i64 {
        let levels = self.0.get(&variant_id).map_or(&[][..], Vec::as_slice);
        levels.iter().fold(0, |sum, level| sum.saturating_add(level.available()))
    }

    /// Every level as it stands now.
    pub fn iter(&self) -> impl Iterator<Item = &Level> {
        self.0.values().flatten()
    }
}

/// Promises stock to each placement in turn, all lines of a placement or none.
///
/// Demand is summed per variant before it is compared, so two lines that share stock cannot both take
/// the last one. A line is served from one location if one has enough, else from several in the order
/// of priority. `levels` is left as the promises make it.
pub fn allocate(
    placements: &[Vec<Demand>],
    levels: &mut Levels,
) -> Vec<Result<Vec<Allocation>, Vec<Shortage>>> {
    placements.iter().map(|demands| allocate_one(demands, levels)).collect()
}

fn allocate_one(demands: &[Demand], levels: &mut Levels) -> Result<Vec<Allocation>, Vec<Shortage>> {
    let mut wanted: BTreeMap<VariantId, i64> = BTreeMap::new();
    for demand in demands {
        assert!(demand.quantity > 0, "a line has a positive quantity");
        let sum = wanted.entry(demand.variant_id).or_default();
        *sum = sum.saturating_add(demand.quantity);
    }
    let shortages: Vec<Shortage> = wanted
        .into_iter()
        .map(|(variant_id, requested)| Shortage {
            variant_id,
            requested,
            available: levels.available(variant_id),
        })
        .filter(|shortage| shortage.available < shortage.requested)
        .collect();
    if !shortages.is_empty() {
        return Err(shortages);
    }
    let mut allocations = Vec::with_capacity(demands.len());
    for demand in demands {
        let levels = levels.0.get_mut(&demand.variant_id).expect("what is available has a level");
        take(*demand, levels, &mut allocations);
    }
    Ok(allocations)
}

fn take(demand: Demand, levels: &mut [Level], allocations: &mut Vec<Allocation>) {
    let whole = |level: &&mut Level| level.in_stock() >= demand.quantity;
    let mut left = demand.quantity;
    if let Some(level) = levels.iter_mut().find(whole) {
        promise(demand, level, left, allocations);
        return;
    }
    // What lies on a shelf is promised before what must be ordered.
    for level in levels.iter_mut() {
        let quantity = level.in_stock().clamp(0, left);
        promise(demand, level, quantity, allocations);
        left -= quantity;
    }
    for level in levels.iter_mut() {
        let quantity = level.available().clamp(0, left);
        promise(demand, level, quantity, allocations);
        left -= quantity;
    }
    assert_eq!(left, 0, "the sum was checked before");
}

fn promise(demand: Demand, level: &mut Level, quantity: i64, allocations: &mut Vec<Allocation>) {
    if quantity == 0 {
        return;
    }
    let backordered = (quantity - level.in_stock().max(0)).max(0);
    level.allocated += quantity;
    let same = allocations
        .iter_mut()
        .find(|other| other.line_id == demand.line_id && other.location_id == level.location_id);
    match same {
        Some(allocation) => {
            allocation.quantity += quantity;
            allocation.backordered += backordered;
        }
        None => allocations.push(Allocation {
            line_id: demand.line_id,
            variant_id: demand.variant_id,
            location_id: level.location_id,
            quantity,
            backordered,
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn level(variant: u128, location: u128, on_hand: i64) -> Level {
        Level {
            variant_id: VariantId::from_u128(variant),
            location_id: LocationId::from_u128(location),
            priority: 0,
            on_hand,
            allocated: 0,
            held: 0,
            safety: 0,
            backorder_limit: Some(0),
        }
    }

    fn demand(line: u128, variant: u128, quantity: i64) -> Demand {
        Demand {
            line_id: LineId::from_u128(line),
            variant_id: VariantId::from_u128(variant),
            quantity,
        }
    }

    #[test]
    fn two_lines_of_one_variant_are_summed() {
        let mut levels = Levels::new([level(1, 1, 3)]);
        let outcome = allocate(&[vec![demand(1, 1, 2), demand(2, 1, 2)]], &mut levels).remove(0);
        let shortage = Shortage { variant_id: VariantId::from_u128(1), requested: 4, available: 3 };
        assert_eq!(outcome, Err(vec![shortage]));
        assert_eq!(levels.available(VariantId::from_u128(1)), 3);
    }

    #[test]
    fn one_location_is_preferred_then_others_help() {
        let mut levels = Levels::new([level(1, 1, 2), level(1, 2, 5)]);
        let outcomes = allocate(&[vec![demand(1, 1, 4)], vec![demand(2, 1, 3)]], &mut levels);
        let taken = |at: usize| -> Vec<_> {
            let allocations = outcomes[at].as_ref().expect("enough");
            allocations
                .iter()
                .map(|a| (a.location_id == LocationId::from_u128(2), a.quantity))
                .collect()
        };
        assert_eq!(taken(0), [(true, 4)]);
        assert_eq!(taken(1), [(false, 2), (true, 1)]);
    }

    #[test]
    fn backorders_are_counted_apart() {
        let mut levels = Levels::new([Level { backorder_limit: Some(3), ..level(1, 1, 2) }]);
        let outcomes = allocate(&[vec![demand(1, 1, 4)], vec![demand(2, 1, 2)]], &mut levels);
        let first = outcomes[0].as_ref().expect("two on hand and two on order");
        assert_eq!((first.len(), first[0].quantity, first[0].backordered), (1, 4, 2));
        assert_eq!(outcomes[1].as_ref().map_err(|s| s[0].available), Err(1));
    }

    #[test]
    fn what_has_no_level_is_short() {
        let outcome = allocate(&[vec![demand(1, 9, 1)]], &mut Levels::default()).remove(0);
        assert_eq!(outcome.map_err(|shortages| shortages[0].available), Err(0));
    }

    proptest! {
        #[test]
        fn nothing_is_promised_twice(
            stock in prop::collection::vec((1u128..5, 1u128..4, 0i64..20, 0i64..5, 0i64..4), 0..12),
            orders in prop::collection::vec(prop::collection::vec((1u128..5, 1i64..8), 1..5), 0..12),
        ) {
            let mut seen = std::collections::HashSet::new();
            let levels: Vec<Level> = stock.into_iter()
                .filter(|(variant, location, ..)| seen.insert((*variant, *location)))
                .map(|(variant, location, on_hand, safety, limit)| Level { safety, backorder_limit: Some(limit), ..level(variant, location, on_hand) })
                .collect();
            let placements: Vec<Vec<Demand>> = orders.iter().enumerate().map(|(at, lines)| {
                lines.iter().enumerate().map(|(n, (variant, quantity))| demand((at * 10 + n) as u128, *variant, *quantity)).collect()
            }).collect();
            let mut after = Levels::new(levels.clone());
            let outcomes = allocate(&placements, &mut after);
            // Every level stays within what it may promise, and grew by exactly what was promised.
            for level in after.iter() {
                let before = levels.iter().find(|b| (b.variant_id, b.location_id) == (level.variant_id, level.location_id)).expect("same levels");
                let promised: i64 = outcomes.iter().flatten().flatten()
                    .filter(|a| (a.variant_id, a.location_id) == (level.variant_id, level.location_id)).map(|a| a.quantity).sum();
                prop_assert_eq!(level.allocated, promised);
                prop_assert!(promised <= before.available());
            }
            // Every served line got exactly what it asked for; a refused placement got nothing.
            for (demands, outcome) in placements.iter().zip(&outcomes) {
                if let Ok(allocations) = outcome {
                    for demand in demands {
                        let got: i64 = allocations.iter().filter(|a| a.line_id == demand.line_id).map(|a| a.quantity).sum();
                        prop_assert_eq!(got, demand.quantity);
                    }
                }
            }
        }
    }
}
