//! What a run says at its end.

use std::{collections::BTreeMap, time::Duration};

use handel_ports::CrashPoint;

use crate::{door::Doors, fleet::Fleet, run::Plan};

/// What came of a seed.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub plan: Plan,
    /// Several processes in real time, if it was not simulated.
    pub fleet: Option<Fleet>,
    /// Equal for equal runs.
    pub hash: u64,
    pub steps: u64,
    pub crashes: u64,
    /// Crashes at named points.
    pub points: BTreeMap<CrashPoint, u64>,
    pub counts: BTreeMap<&'static str, u64>,
    /// Orders that somebody was told of.
    pub orders: usize,
    pub violations: Vec<String>,
    pub last: Vec<String>,
    pub wall: Duration,
}

impl Outcome {
    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// How often something happened.
    pub fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }

    /// Faults of all kinds.
    pub fn faults(&self) -> u64 {
        let faults = self
            .counts
            .iter()
            .filter(|(what, _)| what.starts_with("provider:") || what.ends_with("in trouble"));
        faults.map(|(_, count)| count).sum()
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let Plan { seed, hours, .. } = self.plan;
        format!(
            "seed {seed}: {hours} h, {} calls, {} orders, {} crashes ({} at named points), {} faults, {} violations, {} ms, trace {:016x}",
            self.count("calls"),
            self.orders,
            self.crashes,
            self.points.values().sum::<u64>(),
            self.faults(),
            self.violations.len(),
            self.wall.as_millis(),
            self.hash,
        )
    }

    /// Everything that somebody needs who looks for the cause.
    pub fn story(&self) -> String {
        let mut story = String::from("the last steps:\n");
        for line in &self.last {
            story += &format!("  {line}\n");
        }
        story += "violations:\n";
        for violation in &self.violations {
            story += &format!("  {violation}\n");
        }
        story += &format!("to see it again: {}\n", self.replay());
        story
    }

    /// The command that runs this seed again.
    pub fn replay(&self) -> String {
        let Plan { seed, hours, cast, doors, .. } = self.plan;
        let mut command = format!("cargo xtask sim --seed {seed} --hours {hours} --actors {cast}");
        if doors != Doors::ALL {
            command += &format!(" --doors {doors}");
        }
        command += " --verbose";
        if let Some(Fleet { processes, speed }) = self.fleet {
            command += &format!(" --processes {processes} --speed {speed}");
        }
        command
    }

    /// The same for programs.
    pub fn json(&self) -> serde_json::Value {
        let points: BTreeMap<_, _> =
            self.points.iter().map(|(point, count)| (point.name(), count)).collect();
        serde_json::json!({
            "seed": self.plan.seed,
            "hours": self.plan.hours,
            "actors": self.plan.cast.to_string(),
            "doors": self.plan.doors.to_string(),
            "trace": format!("{:016x}", self.hash),
            "steps": self.steps,
            "orders": self.orders,
            "crashes": self.crashes,
            "crashes_at": points,
            "faults": self.faults(),
            "counts": self.counts,
            "violations": self.violations,
            "last": if self.is_clean() { &[][..] } else { &self.last[..] },
            "replay": self.replay(),
            "wall_ms": u64::try_from(self.wall.as_millis()).unwrap_or(u64::MAX),
        })
    }
}
