//! Draws a series: latency, throughput, memory and what went wrong, over time.
//!
//! Four lines in four boxes need no library.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result, bail, ensure};

use crate::series::HEADER;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 40.0;
const GAP: f64 = 50.0;
/// Most points of a line; more cannot be told apart. The worst of what falls together is drawn.
const POINTS_MAX: usize = 900;

/// What a line is called, its column and its color.
type Line = (&'static str, &'static str, &'static str);

/// The boxes of the drawing: what each is called, and its lines.
const BOXES: [(&str, &[Line]); 4] = [
    ("latency of iterations, ms", &[("p99", "p99_ms", "#c0392b"), ("p50", "p50_ms", "#2980b9")]),
    ("requests per second", &[("requests", "requests", "#27ae60")]),
    ("memory of the servers, MB", &[("memory", "server_memory_mb", "#8e44ad")]),
    (
        "went wrong per second",
        &[("refused", "refused", "#e67e22"), ("missed", "missed", "#7f8c8d")],
    ),
];

/// Reads a series and writes its drawing.
pub fn run(series: &Path, out: &Path) -> Result<()> {
    let text =
        fs::read_to_string(series).with_context(|| format!("cannot read {}", series.display()))?;
    let rows = read(&text).with_context(|| format!("{} is no series", series.display()))?;
    fs::write(out, draw(&rows)).with_context(|| format!("cannot write {}", out.display()))
}

/// The rows of a series; a value that is missing is none.
fn read(text: &str) -> Result<Vec<Vec<Option<f64>>>> {
    let mut lines = text.lines();
    ensure!(lines.next() == Some(HEADER), "its first line must be {HEADER}");
    let row = |line: &str| -> Result<Vec<Option<f64>>> {
        let cell = |cell: &str| match cell {
            "" => Ok(None),
            cell => cell.parse().map(Some).with_context(|| format!("{cell} is no number")),
        };
        line.split(',').map(cell).collect()
    };
    let rows = lines.map(row).collect::<Result<Vec<_>>>()?;
    let columns = HEADER.split(',').count();
    if rows.is_empty() || rows.iter().any(|row| row.len() != columns) {
        bail!("it has no rows, or rows that are not whole");
    }
    Ok(rows)
}

#[expect(clippy::float_arithmetic, reason = "a drawing has no cents")]
fn draw(rows: &[Vec<Option<f64>>]) -> String {
    let height = TOP + BOXES.len() as f64 * (HEIGHT + GAP);
    let width = LEFT + WIDTH + 20.0;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
"#
    );
    let seconds = rows.last().and_then(|row| row[0]).unwrap_or(1.0);
    for (at, (title, lines)) in BOXES.iter().enumerate() {
        let top = TOP + at as f64 * (HEIGHT + GAP);
        let drawn: Vec<_> = lines
            .iter()
            .map(|(name, column, color)| (*name, values(rows, column), *color))
            .collect();
        let most = drawn.iter().flat_map(|(_, values, _)| values).map(|(_, value)| *value);
        let most = ceiling(most.fold(0.0, f64::max));
        frame(&mut svg, top, title, most, seconds);
        for (at, (name, values, color)) in drawn.iter().enumerate() {
            let point = |(second, value): &(f64, f64)| {
                let x = LEFT + second / seconds * WIDTH;
                format!("{x:.1},{:.1}", top + HEIGHT - value / most * HEIGHT)
            };
            let points: Vec<_> = values.iter().map(point).collect();
            let (points, x) = (points.join(" "), LEFT + WIDTH - 70.0 * (at + 1) as f64);
            let _infallible = writeln!(
                svg,
                r#"<polyline fill="none" stroke="{color}" stroke-width="1.2" points="{points}"/>
<text x="{x}" y="{}" fill="{color}">{name}</text>"#,
                top - 8.0
            );
        }
    }
    svg + "</svg>\n"
}

/// The values of a column by their seconds, thinned out to what can be seen.
fn values(rows: &[Vec<Option<f64>>], column: &str) -> Vec<(f64, f64)> {
    let at = HEADER.split(',').position(|name| name == column).unwrap_or(0);
    let share = rows.len().div_ceil(POINTS_MAX).max(1);
    let known = |row: &Vec<Option<f64>>| row[0].zip(row[at]);
    let worst = |rows: &[Vec<Option<f64>>]| {
        rows.iter().filter_map(known).max_by(|(_, a), (_, b)| a.total_cmp(b))
    };
    rows.chunks(share).filter_map(worst).collect()
}

#[expect(clippy::float_arithmetic, reason = "a drawing has no cents")]
fn frame(svg: &mut String, top: f64, title: &str, most: f64, seconds: f64) {
    let (bottom, right) = (top + HEIGHT, LEFT + WIDTH);
    let _infallible = writeln!(
        svg,
        r##"<text x="{LEFT}" y="{}" font-weight="bold">{title}</text>
<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#bbb"/>
<text x="{LEFT}" y="{}">0 s</text><text x="{right}" y="{}" text-anchor="end">{seconds} s</text>"##,
        top - 8.0,
        bottom + 16.0,
        bottom + 16.0,
    );
    for part in 0..=4 {
        let y = bottom - HEIGHT * f64::from(part) / 4.0;
        let value = most * f64::from(part) / 4.0;
        let _infallible = writeln!(
            svg,
            r##"<line x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}" stroke="#eee"/>
<text x="{}" y="{}" text-anchor="end">{value}</text>"##,
            LEFT - 6.0,
            y + 4.0
        );
    }
}

/// The next number that is easily divided by four.
#[expect(clippy::float_arithmetic, reason = "a drawing has no cents")]
fn ceiling(most: f64) -> f64 {
    let power = 10_f64.powf(most.max(1.0).log10().floor());
    let steps = [1.0, 2.0, 4.0, 6.0, 8.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= most).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(seconds: usize) -> String {
        let row = |second: usize| format!("{second},10,40,1.5,{}.0,0,0,0,50\n", second % 7);
        format!("{HEADER}\n{}", (1..=seconds).map(row).collect::<String>())
    }

    #[test]
    fn every_second_of_a_short_run_is_drawn() {
        let svg = draw(&read(&series(10)).unwrap());
        let lines: Vec<_> = svg.lines().filter(|line| line.contains("polyline")).collect();
        assert_eq!(lines.len(), 6);
        let points = |line: &str| line.rsplit("points=\"").next().unwrap().split(' ').count();
        assert!(lines.iter().all(|line| points(line) == 10), "{lines:?}");
    }

    #[test]
    fn a_long_run_shows_its_worst_seconds() {
        let rows = read(&series(7_200)).unwrap();
        let values = values(&rows, "p99_ms");
        assert_eq!(values.len(), 900);
        assert!(values.iter().all(|(_, p99)| *p99 == 6.0), "each point is the worst of eight");
    }

    #[test]
    fn what_is_no_series_is_refused() {
        for text in ["", "a,b\n1,2\n", HEADER, &format!("{HEADER}\n1,2\n")] {
            assert!(read(text).is_err(), "{text:?}");
        }
        let unknown = format!("{HEADER}\n1,0,0,0,0,0,0,0,\n");
        assert!(values(&read(&unknown).unwrap(), "server_memory_mb").is_empty());
    }

    #[test]
    fn scales_end_above_the_largest_value() {
        assert_eq!(
            [0.0, 1.0, 1.5, 99.0, 101.0, 700.0].map(ceiling),
            [1.0, 1.0, 2.0, 100.0, 200.0, 800.0]
        );
    }
}
