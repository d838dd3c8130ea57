//! Every target with its seeds, and with inputs made from these: on the stable compiler, in a few seconds.

use std::{fs, path::Path};

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

/// How many inputs are made for a target. A target that asks a whole shop takes about a millisecond for one.
const MADE: usize = 400;
/// Longest input that is made.
const LENGTH_MAX: usize = 4_096;

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let files = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{target}: {error}"));
    let mut seeds: Vec<_> = files
        .map(|file| {
            let path = file.expect("a file of the corpus").path();
            let name = path.display().to_string();
            (name, fs::read(&path).expect("a file of the corpus"))
        })
        .collect();
    seeds.sort();
    seeds
}

/// Replays the corpus and inputs made from it. What is made follows from the number alone, so a failure comes again.
fn smoke(target: &str) {
    let seeds = seeds(target);
    assert!(seeds.len() >= 2, "{target} has no seeds");
    for (name, seed) in &seeds {
        eprintln!("{name}");
        handel_fuzz::run(target, seed);
    }
    for number in 0..MADE {
        eprintln!("{target}: made input {number}");
        handel_fuzz::run(target, &made(&seeds, number as u64));
    }
}

/// A seed with some bytes changed, cut out, doubled, or taken from another seed.
fn made(seeds: &[(String, Vec<u8>)], number: u64) -> Vec<u8> {
    let mut random = SmallRng::seed_from_u64(number);
    let mut input = seeds[random.random_range(0..seeds.len())].1.clone();
    for _ in 0..random.random_range(1..8) {
        let (from, to) = range(&mut random, input.len());
        match random.random_range(0..6) {
            0 => input[from..to].iter_mut().for_each(|byte| *byte = random.random()),
            1 => drop(input.drain(from..to)),
            2 => {
                let part = input[from..to].to_vec();
                input.splice(from..from, part);
            }
            3 => {
                let other = &seeds[random.random_range(0..seeds.len())].1;
                let (other_from, other_to) = range(&mut random, other.len());
                input.splice(from..to, other[other_from..other_to].iter().copied());
            }
            4 => input.insert(from, b"\0\"',;:{}[]-0199.\n\xff%&="[random.random_range(0..21)]),
            _ => {
                let number: i64 = random.random();
                let number = number >> random.random_range(0..64);
                input.splice(from..to, number.to_string().into_bytes());
            }
        }
    }
    input.truncate(LENGTH_MAX);
    input
}

fn range(random: &mut SmallRng, length: usize) -> (usize, usize) {
    let from = random.random_range(0..=length);
    let to = random.random_range(from..=length.min(from + 16));
    (from, to)
}

/// One test for each target, so that they run side by side and fail alone.
macro_rules! smoke {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                smoke(stringify!($name));
            }
        )*

        #[test]
        fn every_target_has_a_smoke_test_and_a_program() {
            let tested = [$(stringify!($name)),*];
            let targets = handel_fuzz::TARGETS.map(|(name, _)| name);
            assert_eq!(tested, targets);
            for target in targets {
                let program = format!("runner/targets/{target}.rs");
                let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(program);
                let text = fs::read_to_string(program).unwrap_or_default();
                assert!(text.contains(&format!("run(\"{target}\", data)")), "{target}");
            }
        }
    };
}

smoke! {
    api_key cart_body channel_body checkout_body csv cursor digest idempotency_key mcp_message outbound_url page_form
    product_body promotion_body query signature text token totals ucp_body ucp_profile webhook
}
