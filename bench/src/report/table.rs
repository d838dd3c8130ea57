//! The same for people.

use comfy_table::{Cell, CellAlignment, Table, presets::ASCII_MARKDOWN};

use super::{Latency, Report};

/// Prints everything.
pub fn print(report: &Report) {
    let environment = &report.environment;
    println!(
        "\n{} · {} · {} cores · threads of the bench: {} · {} build",
        environment.date,
        environment.backend,
        environment.cores,
        environment.threads,
        environment.build
    );
    println!("{}", runs(report));
    println!("{}", steps(report));
    section("Shops of several sizes", &capacities(report));
    section("The shop beside its storage", &comparisons(report));
    section("Taken and turned away", &turned_away(report));
    section("What went wrong", &errors(report));
    section("What else was seen", &facts(report));
    section("Promises", &findings(report));
    for run in &report.runs {
        for finding in run.findings.iter().filter(|finding| !finding.holds()) {
            println!("BROKEN: {}", finding.rule);
            for example in &finding.examples {
                println!("  {example}");
            }
        }
    }
}

fn section(title: &str, table: &Table) {
    if !table.is_empty() {
        println!("{title}\n{table}");
    }
}

/// A table whose first columns are words and whose other columns are numbers.
fn table<const N: usize>(words: usize, header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(words) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn runs(report: &Report) -> Table {
    let mut table = table(
        1,
        [
            "scenario",
            "load",
            "iterations/s",
            "requests/s",
            "p50 ms",
            "p90 ms",
            "p99 ms",
            "max ms",
            "failed",
            "missed",
            "5xx",
            "server MB",
        ],
    );
    for run in &report.runs {
        let mut row = vec![
            Cell::new(&run.scenario),
            Cell::new(run.load()),
            Cell::new(grouped(run.iterations_per_second)),
            Cell::new(grouped(run.requests_per_second)),
        ];
        row.extend(latency(&run.iteration));
        row.push(Cell::new(run.failed));
        row.push(Cell::new(run.missed.map_or("–".to_owned(), |missed| missed.to_string())));
        row.push(Cell::new(run.server_errors));
        row.push(Cell::new(run.server_memory_mb.map_or("–".to_owned(), |mb| mb.to_string())));
        table.add_row(row);
    }
    table
}

fn steps(report: &Report) -> Table {
    let mut table = table(1, ["step", "load", "count", "p50 ms", "p90 ms", "p99 ms", "max ms"]);
    for (run, step) in
        report.runs.iter().flat_map(|run| run.steps.iter().map(move |step| (run, step)))
    {
        let mut row =
            vec![Cell::new(step.step), Cell::new(run.load()), Cell::new(step.latency.count)];
        row.extend(latency(&step.latency));
        table.add_row(row);
    }
    table
}

fn capacities(report: &Report) -> Table {
    let header = [
        "orders",
        "products",
        "database MB",
        "ready ms",
        "idle MB",
        "loaded MB",
        "flows/s",
        "flow p50 ms",
        "flow p99 ms",
        "browse/s",
        "browse p50 ms",
        "browse p99 ms",
    ];
    let mut table = table(0, header);
    let memory = |mb: Option<u64>| mb.map_or("–".to_owned(), |mb| mb.to_string());
    for found in &report.capacities {
        table.add_row([
            found.orders.to_string(),
            found.products.to_string(),
            found.database_mb.to_string(),
            format!("{:.0}", found.ready_ms),
            memory(found.idle_memory_mb),
            memory(found.loaded_memory_mb),
            grouped(found.flows_per_second),
            format!("{:.2}", found.flow.p50_ms),
            format!("{:.2}", found.flow.p99_ms),
            grouped(found.browses_per_second),
            format!("{:.2}", found.browse.p50_ms),
            format!("{:.2}", found.browse.p99_ms),
        ]);
    }
    table
}

fn comparisons(report: &Report) -> Table {
    let header = ["limit", "articles", "clients", "limit/s", "handel/s", "ratio %"];
    let mut table = table(1, header);
    for comparison in &report.comparisons {
        for limit in &comparison.limits {
            table.add_row([
                limit.how.to_owned(),
                comparison.articles.to_string(),
                comparison.clients.to_string(),
                grouped(limit.per_second),
                grouped(comparison.orders_per_second),
                format!("{:.1}", limit.ratio_percent),
            ]);
        }
    }
    table
}

fn turned_away(report: &Report) -> Table {
    let header = ["requests", "load", "count", "p50 ms", "p90 ms", "p99 ms", "max ms"];
    let mut table = table(1, header);
    for run in report.runs.iter().filter(|run| run.turned_away.count > 0) {
        for (name, found) in [("taken", &run.accepted), ("turned away", &run.turned_away)] {
            let mut row = vec![Cell::new(name), Cell::new(run.load()), Cell::new(found.count)];
            row.extend(latency(found));
            table.add_row(row);
        }
    }
    table
}

fn errors(report: &Report) -> Table {
    let mut table = table(2, ["step", "code", "load", "status", "count"]);
    for run in &report.runs {
        for error in &run.errors {
            let status =
                if error.status == 0 { "–".to_owned() } else { error.status.to_string() };
            table.add_row([
                error.step.to_owned(),
                error.code.clone(),
                run.load(),
                status,
                error.count.to_string(),
            ]);
        }
    }
    table
}

fn facts(report: &Report) -> Table {
    let mut table = table(1, ["fact", "load", "value"]);
    for run in &report.runs {
        for fact in &run.facts {
            table.add_row([fact.name.clone(), run.load(), fact.value.clone()]);
        }
    }
    table
}

fn findings(report: &Report) -> Table {
    let mut table = table(2, ["promise", "", "load", "checked", "violations"]);
    for run in &report.runs {
        for finding in &run.findings {
            table.add_row([
                finding.rule.clone(),
                if finding.holds() { "kept" } else { "BROKEN" }.to_owned(),
                run.load(),
                finding.checked.to_string(),
                finding.violations.to_string(),
            ]);
        }
    }
    table
}

fn latency(latency: &Latency) -> [Cell; 4] {
    let Latency { p50_ms, p90_ms, p99_ms, max_ms, .. } = latency;
    [p50_ms, p90_ms, p99_ms, max_ms].map(|ms| Cell::new(format!("{ms:.2}")))
}

/// `12,345.6`, for rates that are read at a glance.
fn grouped(rate: f64) -> String {
    let text = format!("{rate:.1}");
    let (whole, tenths) = text.split_once('.').unwrap_or((&text, "0"));
    let digits: Vec<char> = whole.chars().collect();
    let groups: Vec<String> = digits.rchunks(3).rev().map(|group| group.iter().collect()).collect();
    format!("{}.{tenths}", groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_grouped_by_thousands() {
        assert_eq!(grouped(7.0), "7.0");
        assert_eq!(grouped(999.96), "1,000.0");
        assert_eq!(grouped(1_234_567.8), "1,234,567.8");
    }
}
