//! Runs seeds, several at a time, and says what came of them.

use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use clap::Parser;
use handel_sim::{Cast, Doors, Fleet, Outcome, Plan, run, run_fleet};

/// Simulates a shop with everybody around it, from a seed.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask sim", disable_version_flag = true)]
struct Options {
    /// The first seed; a random one if none is named.
    #[arg(long)]
    seed: Option<u64>,
    /// How many seeds, counted on from the first.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// How long the shop is open, in hours of its own time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=240))]
    hours: u64,
    /// Who comes in an hour, such as shoppers=240,agents=160,staff=4.
    #[arg(long, default_value_t = Cast::default())]
    actors: Cast,
    /// The doors that they come through, such as engine,rest,ucp. Each takes one that can do what they want.
    #[arg(long, default_value_t = Doors::ALL)]
    doors: Doors,
    /// How many seeds run at the same time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=256))]
    jobs: u64,
    /// Instead of a simulation, run so many processes on the PostgreSQL that TEST_POSTGRES_URL names. Such a
    /// run cannot be repeated exactly.
    #[arg(long, value_parser = clap::value_parser!(u64).range(2..=16))]
    processes: Option<u64>,
    /// With --processes: how many times as fast as real time the shop lives.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    speed: u32,
    /// Print one JSON object for each seed.
    #[arg(long)]
    json: bool,
    /// Print every step.
    #[arg(long)]
    verbose: bool,
    /// Go on after a seed that failed.
    #[arg(long)]
    keep_going: bool,
}

#[derive(Default)]
struct Total {
    seeds: u64,
    failed: Vec<u64>,
    orders: u64,
    crashes: u64,
    faults: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let first = options.seed.unwrap_or_else(random_seed);
    let (next, total) = (AtomicU64::new(0), Mutex::new(Total::default()));
    work_on_all(&options, first, &next, &total);
    let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    eprintln!(
        "{} seeds of {} h: {} orders, {} crashes, {} faults, {} seeds with violations",
        total.seeds,
        options.hours,
        total.orders,
        total.crashes,
        total.faults,
        total.failed.len()
    );
    if total.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn work_on_all(options: &Options, first: u64, next: &AtomicU64, total: &Mutex<Total>) {
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.min(options.seeds) {
            let worker = std::thread::Builder::new().name("sim".to_owned());
            worker
                .spawn_scoped(scope, || work(options, first, next, total))
                .expect("threads can be started");
        }
    });
}

fn work(options: &Options, first: u64, next: &AtomicU64, total: &Mutex<Total>) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= options.seeds {
            return;
        }
        let seed = first.wrapping_add(number);
        let plan = Plan {
            seed,
            hours: options.hours,
            cast: options.actors,
            doors: options.doors,
            is_loud: options.verbose,
        };
        let outcome = match perform(options, plan) {
            Ok(outcome) => outcome,
            Err(error) => {
                eprintln!("seed {seed}: {error}");
                lock(total).failed.push(seed);
                return;
            }
        };
        tell(options, &outcome);
        let mut total = lock(total);
        total.seeds += 1;
        total.orders += outcome.orders as u64;
        total.crashes += outcome.crashes;
        total.faults += outcome.faults();
        if !outcome.is_clean() {
            total.failed.push(seed);
            if !options.keep_going {
                next.store(options.seeds, Ordering::Relaxed);
            }
        }
    }
}

fn perform(options: &Options, plan: Plan) -> Result<Outcome, String> {
    match options.processes {
        None => Ok(run(plan)),
        Some(processes) => {
            let processes = usize::try_from(processes).unwrap_or(2);
            run_fleet(plan, Fleet { processes, speed: options.speed })
        }
    }
}

fn lock(total: &Mutex<Total>) -> std::sync::MutexGuard<'_, Total> {
    total.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn tell(options: &Options, outcome: &Outcome) {
    if options.json {
        println!("{}", outcome.json());
    } else {
        println!("{}", outcome.line());
    }
    if !outcome.is_clean() {
        eprintln!("{}", outcome.story());
    }
}

#[expect(clippy::disallowed_methods, reason = "without a seed, chance decides; it is printed")]
fn random_seed() -> u64 {
    rand::random::<u32>().into()
}
