//! The limit of PostgreSQL: its own load generator with a script of the same rows.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use super::Load;
use crate::{
    rows::{self, Cell, Dialect, Op, Variables},
    server::Store,
};

const NAME: &str = "pgbench";
const INSTALLED: &str = "/usr/lib/postgresql";

/// Writes the rows of so many purchases, each in a transaction: a statement at a time, or all in one pipeline.
/// Returns how many a second.
pub async fn run(store: &Store, ops: &[Op], load: Load, pipeline: bool) -> Result<f64> {
    let Store::Postgres(url) = store else { bail!("pgbench knows PostgreSQL alone") };
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), script(ops, pipeline))?;
    let share = load.orders / i64::try_from(load.clients)?;
    let mut command = Command::new(program()?);
    command.args(["--no-vacuum", "--protocol=prepared"]);
    command.arg(format!("--client={}", load.clients)).arg(format!("--transactions={share}"));
    command.arg(format!("--jobs={}", load.clients.min(2)));
    for (name, value) in [("first", load.first), ("articles", load.articles)] {
        command.arg(format!("--define={name}={value}"));
    }
    command.arg(format!("--define=clients={}", load.clients)).arg("--define=i=-1");
    command.arg("--file").arg(file.path()).arg(url).kill_on_drop(true);
    let output = command.output().await.context("cannot run pgbench")?;
    let (said, complaints) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let done = format!("{0}/{0}", load.orders);
    ensure!(
        output.status.success() && said.contains(&done),
        "pgbench could not write all rows: {}\n{said}\n{complaints}",
        output.status
    );
    rate(&said).with_context(|| format!("pgbench does not say how fast it was:\n{said}"))
}

/// What each client does, again and again. The clients take the purchases in turn.
fn script(ops: &[Op], pipeline: bool) -> String {
    let variables = Variables { copy: "(:n::bigint)", article: "(:k::bigint)" };
    let mut write = |cell: &Cell| rows::value(cell, Dialect::Postgres, variables);
    let mut lines = vec![
        "\\set i :i + 1".to_owned(),
        "\\set n :first + :i * :clients + :client_id".to_owned(),
        "\\set k random(0, :articles - 1)".to_owned(),
    ];
    lines.extend(pipeline.then(|| "\\startpipeline".to_owned()));
    lines.push("begin;".to_owned());
    for op in ops {
        let sql =
            if op.is_new { rows::insert(op, &mut write) } else { rows::update(op, 1, &mut write) };
        lines.push(sql + ";");
    }
    lines.push("commit;".to_owned());
    lines.extend(pipeline.then(|| "\\endpipeline".to_owned()));
    lines.join("\n") + "\n"
}

/// The program of the path, or of the newest PostgreSQL that Debian has installed.
fn program() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|directory| directory.join(NAME));
    let installed = std::fs::read_dir(INSTALLED).into_iter().flatten().flatten();
    let mut installed: Vec<_> = installed.map(|version| version.path()).collect();
    installed.sort_by_key(|path| version(path));
    let installed = installed.into_iter().rev().map(|version| version.join("bin").join(NAME));
    let found = on_path.chain(installed).find(|program| program.is_file());
    found.context("there is no pgbench; it comes with PostgreSQL's server or contrib package")
}

fn version(path: &std::path::Path) -> u32 {
    path.file_name().and_then(|name| name.to_str()?.parse().ok()).unwrap_or(0)
}

/// The line `tps = 1234.5 (without initial connection time)`.
fn rate(said: &str) -> Option<f64> {
    let line = said.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_what_pgbench_says() {
        let said = "number of failed transactions: 0 (0.000%)\nlatency average = 0.5 ms\ntps = 1999.5 (without initial connection time)\n";
        assert_eq!(rate(said), Some(1999.5));
        assert_eq!(rate("no tps"), None);
    }

    #[test]
    fn a_purchase_is_one_transaction() {
        let cells = vec![("id".to_owned(), Cell::Own { prefix: "ord".to_owned(), place: 1 })];
        let op = Op { table: "orders".to_owned(), is_new: true, key: cells.clone(), cells };
        let script = script(&[op], true);
        let lines: Vec<_> = script.lines().skip(3).collect();
        assert_eq!(lines[0], "\\startpipeline");
        assert_eq!(
            lines[2],
            "insert into orders (id) values ('ord_' || lpad(((:n::bigint) * 100 + 1)::text, 26, '0'));"
        );
        assert_eq!(lines[1..].last(), Some(&"\\endpipeline"));
    }
}
