//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{check::Depth, open::Spacing};

const EXAMPLES: &str = "\
Examples:
  # Purchases by 1, 16 and 64 clients, on a fresh embedded shop in durable mode
  handel-bench flow

  # The same on PostgreSQL, with two servers
  handel-bench flow --postgres postgres://me@localhost/postgres --processes 2

  # 500 purchases begin in each second, whatever becomes of the earlier ones
  handel-bench flow --rate 500

  # Half an hour of it, drawn
  handel-bench mixed --rate 500 --seconds 1800 --check sample --series soak.csv && handel-bench plot soak.csv

  # A shop with a million products and up to a million orders
  handel-bench capacity --products 1000000 --check sample

  # Twice and four times what the shop can do
  handel-bench overload --percent 200,400

  # How near placement comes to what the storage can do
  handel-bench compare

  # All purchases fight for one SKU
  handel-bench flow --skus 1

  # 500 buyers at once want the last 100 units
  handel-bench flash --clients 500 --units 100

  # Twenty power cuts under load
  handel-bench kill --rounds 20

  # A server that runs already
  handel-bench mixed --url http://127.0.0.1:8080 --key hk_…

  # What this program itself can do at most
  handel-bench selftest

The exit status is 1 if a promise was broken, and 2 if the run could not be made.";

/// Measures a Handel shop over its REST interface, and checks after every run that it kept its promises.
///
/// By default it starts its own server in a fresh directory, fills the shelves, runs the clients, reads
/// the shop and the provider's books, and takes everything away again. Build the server first:
/// `cargo build --release`.
#[derive(Debug, Parser)]
#[command(name = "handel-bench", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What the clients do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the clients do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Buy: cart, item, checkout and payment, four requests in each iteration.
    Flow(LoadOptions),
    /// Fill carts: a cart and an item, two requests in each iteration.
    Cart(LoadOptions),
    /// Look: product lists with filters and orders, and product pages.
    Browse(LoadOptions),
    /// Do what shoppers do: 80 % look, 15 % fill a cart, 5 % buy.
    Mixed(LoadOptions),
    /// Buy, and send every completion two or three times at once and again later.
    Duplicates(TimedOptions),
    /// Complete checkouts that were prepared before: what placing an order costs, and nothing else.
    Place(PlaceOptions),
    /// Buy the few units of one article, all at once.
    Flash(FlashOptions),
    /// Buy while the server is killed and started again, over and over.
    Kill(KillOptions),
    /// Ask for more than the shop can do: what it takes stays fast, and the rest is turned away.
    Overload(OverloadOptions),
    /// Fill a shop with products and orders, and see how it starts, how much memory it takes and how fast it is.
    Capacity(CapacityOptions),
    /// Place orders beside what the storage alone can do with the same rows.
    Compare(PlaceOptions),
    /// Draw a series that `--series` has written, as a picture in SVG.
    Plot(PlotOptions),
    /// Measure this program against a server that does nothing.
    Selftest(SelftestOptions),
}

/// Options of a load that can be an open loop.
#[derive(Debug, Args)]
pub struct LoadOptions {
    #[command(flatten)]
    pub timed: TimedOptions,
    #[command(flatten)]
    pub open: OpenOptions,
    /// Write a line for each second of the run to this file: throughput, latency, memory of the servers, errors.
    #[arg(long, value_name = "FILE")]
    pub series: Option<PathBuf>,
}

/// Options of an open loop.
#[derive(Debug, Args)]
#[command(next_help_heading = "Open loop")]
pub struct OpenOptions {
    /// Begin so many iterations per second, answered or not; one run for each number. Latency counts from the
    /// time at which an iteration was due.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..),
          conflicts_with = "clients")]
    pub rate: Vec<u32>,
    /// How their beginnings are spread.
    #[arg(long, value_enum, default_value_t = Spacing::Poisson, requires = "rate")]
    pub arrivals: Spacing,
    /// Most iterations under way at once. What is due while there are so many is counted as missed.
    #[arg(long, default_value_t = 1_000, value_parser = positive, requires = "rate")]
    pub outstanding: usize,
}

/// Options of a drawing.
#[derive(Debug, Args)]
pub struct PlotOptions {
    /// What `--series` has written.
    pub series: PathBuf,
    /// Where the picture goes [default: beside the series].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Options of a timed load.
#[derive(Debug, Args)]
pub struct TimedOptions {
    /// How many clients; one run for each number.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64", value_parser = positive)]
    pub clients: Vec<usize>,
    /// How long a run measures.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// How long a run goes on before it measures, in seconds.
    #[arg(long, default_value_t = 1)]
    pub warmup: u64,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// Options of placement, alone and beside the storage.
#[derive(Debug, Args)]
pub struct PlaceOptions {
    /// How many clients complete checkouts; one run for each number.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64", value_parser = positive)]
    pub clients: Vec<usize>,
    /// How many checkouts are prepared for a run, before the clock starts, and then completed.
    #[arg(long, default_value_t = 5_000, value_parser = positive)]
    pub orders: usize,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// Options of capacity.
#[derive(Debug, Args)]
pub struct CapacityOptions {
    /// How many orders there are; one measurement for each number, the smallest first. `--products` says how
    /// many products there are, and `--skus` how many of them are bought [default: 1000].
    #[arg(long, value_delimiter = ',', default_value = "0,100000,1000000",
          value_parser = clap::value_parser!(i64).range(0..=100_000_000))]
    pub orders: Vec<i64>,
    /// How many clients buy, and then look.
    #[arg(long, default_value_t = 16, value_parser = positive)]
    pub clients: usize,
    /// For how long each.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// Options of overload.
#[derive(Debug, Args)]
pub struct OverloadOptions {
    /// How many waiting clients find out what the shop can do.
    #[arg(long, default_value_t = 64, value_parser = positive)]
    pub clients: usize,
    /// How much of that is asked for, in percent; one run for each number.
    #[arg(long, value_delimiter = ',', default_value = "50,100,200,400")]
    pub percent: Vec<u32>,
    /// How long a run measures.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Most purchases under way at once.
    #[arg(long, default_value_t = 3_000, value_parser = positive)]
    pub outstanding: usize,
    /// How long 99 of 100 requests that are taken may last, in milliseconds.
    #[arg(long, default_value_t = 1_000)]
    pub latency_max_ms: u64,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// Options of a flash sale.
#[derive(Debug, Args)]
pub struct FlashOptions {
    /// How many buyers come at once; one sale for each number.
    #[arg(long, value_delimiter = ',', default_value = "500", value_parser = positive)]
    pub clients: Vec<usize>,
    /// How many units there are.
    #[arg(long, default_value_t = 100, value_parser = positive)]
    pub units: usize,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// Options of the crash loop.
#[derive(Debug, Args)]
pub struct KillOptions {
    /// How many clients buy.
    #[arg(long, default_value_t = 16, value_parser = positive)]
    pub clients: usize,
    /// How often a server is killed.
    #[arg(long, default_value_t = 10)]
    pub rounds: usize,
    /// How long the shop may take in the end until everything holds, in seconds. The provider is asked about
    /// a payment that it may not know yet for a minute before the shop believes that nothing was charged.
    #[arg(long, default_value_t = 150)]
    pub settle: u64,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// Options of the self-test.
#[derive(Debug, Args)]
pub struct SelftestOptions {
    /// How many clients; one run for each number.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64", value_parser = positive)]
    pub clients: Vec<usize>,
    /// How long a run measures.
    #[arg(long, default_value_t = 3)]
    pub seconds: u64,
    #[command(flatten)]
    pub output: OutputOptions,
}

/// What every scenario takes.
#[derive(Clone, Debug, Args)]
pub struct CommonOptions {
    #[command(flatten)]
    pub target: TargetOptions,
    /// How much is read after a run to check it.
    #[arg(long, value_enum, default_value_t = Depth::Full)]
    pub check: Depth,
    #[command(flatten)]
    pub output: OutputOptions,
}

/// Which shop.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Shop")]
pub struct TargetOptions {
    /// The server's binary [default: `handel` beside this program].
    #[arg(long, value_name = "FILE")]
    pub server: Option<PathBuf>,
    /// Make a fresh database on this PostgreSQL server instead of an embedded one.
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    pub postgres: Option<String>,
    /// How many servers share the database and the clients.
    #[arg(long, default_value_t = 1, value_parser = positive, conflicts_with = "url")]
    pub processes: usize,
    /// Where the fresh directory is made, on the disk to be measured [default: for temporary files].
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Where the test provider keeps its books, which a real provider does elsewhere [default: with the shop].
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub provider_directory: Option<PathBuf>,
    /// Leave the directory and the database behind.
    #[arg(long)]
    pub keep: bool,
    /// Use a running shop; several servers of it with commas between.
    #[arg(long, requires = "key", conflicts_with = "server")]
    pub url: Option<String>,
    /// An API key of the running shop, with the scopes catalog:*, stock:* and orders:read.
    #[arg(long)]
    pub key: Option<String>,
    /// The ledger of the running shop's test provider; without it, money is not checked.
    #[arg(long, value_name = "FILE", requires = "url")]
    pub ledger: Option<PathBuf>,
    /// How many products are put on the shelves, unless they are there.
    #[arg(long, default_value_t = 1_000, value_parser = positive)]
    pub products: usize,
    /// How many units of each.
    #[arg(long, default_value_t = 1_000_000)]
    pub stock: i64,
    /// Buy only so many of the products; 1 makes everybody want the same [default: all].
    #[arg(long, value_parser = positive)]
    pub skus: Option<usize>,
    /// What the choices of the clients follow from [default: chance].
    #[arg(long)]
    pub seed: Option<u64>,
}

/// What is done with the results, and by how many threads they are made.
#[derive(Clone, Debug, Args)]
pub struct OutputOptions {
    /// Write the results to this file as well.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Threads of this program. More leave less to a server on the same machine.
    #[arg(long, default_value_t = 1, value_parser = positive)]
    pub threads: usize,
}

impl Command {
    /// What is done with the results; none where nothing is measured.
    pub fn output(&self) -> Option<&OutputOptions> {
        Some(match self {
            Self::Flow(load) | Self::Cart(load) | Self::Browse(load) | Self::Mixed(load) => {
                &load.timed.common.output
            }
            Self::Duplicates(timed) => &timed.common.output,
            Self::Place(place) => &place.common.output,
            Self::Capacity(capacity) => &capacity.common.output,
            Self::Overload(overload) => &overload.common.output,
            Self::Compare(compare) => &compare.common.output,
            Self::Flash(flash) => &flash.common.output,
            Self::Kill(kill) => &kill.common.output,
            Self::Selftest(selftest) => &selftest.output,
            Self::Plot(_) => return None,
        })
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("must be a whole number".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn clients_are_a_list() {
        let cli = Cli::try_parse_from(["handel-bench", "flow", "--clients", "1,16,64"]).unwrap();
        let Command::Flow(load) = cli.command else { panic!("another scenario") };
        assert_eq!(load.timed.clients, [1, 16, 64]);
        Cli::try_parse_from(["handel-bench", "flow", "--clients", "0"]).unwrap_err();
    }

    #[test]
    fn an_open_loop_has_a_rate_and_no_clients() {
        let flow = ["handel-bench", "flow", "--rate", "100,200"];
        let Command::Flow(load) = Cli::try_parse_from(flow).unwrap().command else { panic!() };
        assert_eq!(load.open.rate, [100, 200]);
        Cli::try_parse_from(flow.into_iter().chain(["--clients", "1"])).unwrap_err();
        Cli::try_parse_from(["handel-bench", "flow", "--arrivals", "even"]).unwrap_err();
        Cli::try_parse_from(["handel-bench", "duplicates", "--rate", "1"]).unwrap_err();
    }

    #[test]
    fn a_running_shop_needs_a_key() {
        let url = ["handel-bench", "cart", "--url", "http://127.0.0.1:8080"];
        Cli::try_parse_from(url).unwrap_err();
        Cli::try_parse_from(url.into_iter().chain(["--key", "hk_x"])).unwrap();
    }
}
