//! What goes wrong around the shop, and when.

use std::sync::Arc;

use handel_ports::CrashPoint;

use crate::{
    dice::Dice,
    provider::Mood,
    site::{DiskFault, Doom, Site},
    world::World,
};

/// Lets things go wrong, one after another, until the shop closes.
pub async fn blow(site: Arc<Site>, world: Arc<World>) {
    let dice = Dice::new(world.seed, "weather");
    while !world.is_closing() {
        world.sleep(dice.millis(1_000, 60_000)).await;
        let trouble = match dice.below(100) {
            0..30 => Trouble::CrashAnywhere(dice.below(3_000)),
            30..65 => Trouble::CrashAt(*dice.pick(CrashPoint::ALL)),
            65..73 => Trouble::Provider(Mood::Flaky),
            73..80 => Trouble::Provider(Mood::Down),
            80..85 => Trouble::Listener,
            85..87 => Trouble::Receiver,
            87..91 => Trouble::Disk(DiskFault::Full),
            91..95 => Trouble::Disk(DiskFault::Dead),
            _ => Trouble::Disk(DiskFault::Shaky),
        };
        trouble.strike(&site, &world, &dice).await;
    }
}

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    CrashAnywhere(u64),
    CrashAt(CrashPoint),
    Provider(Mood),
    Listener,
    Receiver,
    Disk(DiskFault),
}

impl Trouble {
    async fn strike(self, site: &Site, world: &World, dice: &Dice) {
        world.trace.note(format!("trouble: {self:?}"));
        let lasting = dice.millis(1_000, if dice.percent(10) { 1_500_000 } else { 45_000 });
        match self {
            Self::CrashAnywhere(steps) => site.set_doom(Some(Doom::Steps(steps))),
            Self::CrashAt(point) => site.set_doom(Some(Doom::Point(point))),
            Self::Provider(mood) => {
                world.trace.count("provider in trouble");
                world.provider.set_mood(mood);
                world.sleep(lasting).await;
                world.provider.set_mood(Mood::Usual);
            }
            Self::Listener => {
                world.trace.count("listener in trouble");
                world.listener.set_down(true);
                world.sleep(lasting).await;
                world.listener.set_down(false);
            }
            Self::Receiver => {
                world.trace.count("receiver in trouble");
                world.web.set_down(true);
                world.sleep(lasting).await;
                world.web.set_down(false);
            }
            Self::Disk(fault) => {
                world.trace.count("disk in trouble");
                site.set_fault(fault);
                world.sleep(dice.millis(100, 20_000)).await;
                site.set_fault(DiskFault::None);
            }
        }
    }
}

/// Fair weather from now on.
pub fn clear_up(site: &Site, world: &World) {
    site.set_doom(None);
    site.set_fault(DiskFault::None);
    world.provider.set_mood(Mood::Perfect);
    world.listener.heal();
    world.web.heal();
}
