//! Everybody who meets the shop. They know one interface, [`crate::door`], and no engine.

mod caller;
mod courier;
pub mod goods;
mod program;
mod shopper;
mod shown;
mod staff;

use std::{str::FromStr, sync::Arc, time::Duration};

use crate::{dice::Dice, world::World};

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cast {
    /// People who visit in an hour.
    pub shoppers: u64,
    /// Programs that visit in an hour.
    pub agents: u64,
    /// Staff.
    pub staff: u64,
}

impl Default for Cast {
    fn default() -> Self {
        Self { shoppers: 240, agents: 160, staff: 4 }
    }
}

impl FromStr for Cast {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut cast = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (role, count) = part.split_once('=').ok_or("expected role=count")?;
            let count = count.parse().map_err(|_| format!("{count} is no number"))?;
            match role {
                "shoppers" => cast.shoppers = count,
                "agents" => cast.agents = count,
                "staff" => cast.staff = count,
                _ => return Err(format!("there are shoppers, agents and staff, but no {role}")),
            }
        }
        Ok(cast)
    }
}

impl std::fmt::Display for Cast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "shoppers={},agents={},staff={}", self.shoppers, self.agents, self.staff)
    }
}

/// Lets everybody come, each at their time. Every tenth comes with a crowd, when something scarce arrives.
pub fn enter(world: &Arc<World>, cast: Cast, hours: u64) {
    let dice = Dice::new(world.seed, "arrivals");
    let end_ms = hours * 3_600_000;
    let rushes: Vec<u64> = (0..hours * 3).map(|_| dice.below(end_ms)).collect();
    let mut number = 0;
    for (count, is_agent) in [(cast.shoppers * hours, false), (cast.agents * hours, true)] {
        for _ in 0..count {
            number += 1;
            let at_ms = match dice.percent(25) && !rushes.is_empty() {
                true => *dice.pick(&rushes),
                false => dice.below(end_ms),
            };
            let inside = world.clone();
            // Every second program speaks a protocol of baskets; the others use carts as people do.
            let speaks = is_agent && number % 2 == 0;
            world.system.spawn(async move {
                inside.sleep(Duration::from_millis(at_ms)).await;
                if speaks {
                    program::visit(inside, number).await;
                } else {
                    shopper::visit(inside, number, is_agent).await;
                }
            });
        }
    }
    for number in 0..cast.staff {
        world.system.spawn(staff::Clerk::new(world.clone(), number).work());
    }
    world.system.spawn(courier::Courier::new(world.clone()).work());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cast_can_be_written_down_and_read_again() {
        let cast: Cast = "agents=7,staff=0".parse().unwrap();
        assert_eq!((cast.shoppers, cast.agents, cast.staff), (240, 7, 0));
        assert_eq!(cast.to_string().parse(), Ok(cast));
        assert!("pirates=1".parse::<Cast>().is_err());
    }
}
