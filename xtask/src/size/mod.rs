//! `check-size`: how long files and functions may be.
//!
//! Owns the walk over the sources, the limits and the exceptions; [`source`] owns the measuring.

mod source;

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use crate::process;

/// A file longer than this is named, so that somebody looks at it again.
const FILE_LINES_NOTED: usize = 400;
const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const EXCEPTIONS: &str = "xtask/size-exceptions.txt";

/// Names what is long, and fails if something is too long and not an exception.
pub fn check() -> Result<()> {
    let root = process::repository_root();
    let text = fs::read_to_string(root.join(EXCEPTIONS))
        .with_context(|| format!("cannot read {EXCEPTIONS}"))?;
    let exceptions = exceptions(&text)?;
    let files = rust_files(&root)?;
    let mut findings = Vec::new();
    for file in &files {
        let text = fs::read_to_string(root.join(file))
            .with_context(|| format!("cannot read {}", file.display()))?;
        findings.extend(measure(file, &text));
    }
    report(&findings, &exceptions, files.len())
}

#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// What an exception calls it: `path` for a file, `path::name` for a function.
    place: String,
    line: usize,
    lines: usize,
    limit: usize,
    /// A note never fails the check.
    is_note: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, line, lines, limit, is_note } = self;
        let kind = if *is_note { "note" } else { "error" };
        write!(f, "{kind}: {place} (line {line}) has {lines} lines; the limit is {limit}")?;
        if *is_note { write!(f, " before one looks again") } else { Ok(()) }
    }
}

fn measure(file: &Path, text: &str) -> Vec<Finding> {
    let path = file.display().to_string();
    let size = source::measure(text);
    let mut findings = Vec::new();
    if size.lines > FILE_LINES_NOTED {
        let is_note = size.lines <= FILE_LINES_MAX;
        let limit = if is_note { FILE_LINES_NOTED } else { FILE_LINES_MAX };
        findings.push(Finding { place: path.clone(), line: 1, lines: size.lines, limit, is_note });
    }
    if is_test(file) {
        return findings;
    }
    let too_long =
        size.functions.into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX);
    findings.extend(too_long.map(|function| Finding {
        place: format!("{path}::{}", function.name),
        line: function.line,
        lines: function.lines,
        limit: FUNCTION_LINES_MAX,
        is_note: false,
    }));
    findings
}

fn is_test(file: &Path) -> bool {
    file.iter().any(|name| name == "tests" || name == "tests.rs")
}

fn report(findings: &[Finding], exceptions: &BTreeSet<String>, files: usize) -> Result<()> {
    let mut errors = 0;
    for finding in findings {
        if exceptions.contains(&finding.place) {
            continue;
        }
        println!("{finding}");
        errors += usize::from(!finding.is_note);
    }
    for place in
        exceptions.iter().filter(|place| !findings.iter().any(|finding| finding.place == **place))
    {
        println!("note: {place} is no longer too long; remove it from {EXCEPTIONS}");
    }
    if errors > 0 {
        bail!(
            "{errors} files or functions are too long; split them, or give a reason in {EXCEPTIONS}"
        );
    }
    println!("check-size: {files} files are within the limits");
    Ok(())
}

/// The places named in lines of the form `place: reason`.
fn exceptions(text: &str) -> Result<BTreeSet<String>> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (place, reason) = line.split_once(": ").unwrap_or((line, ""));
            ensure!(!reason.trim().is_empty(), "{EXCEPTIONS}: `{line}` gives no reason");
            Ok(place.to_owned())
        })
        .collect()
}

/// The sources of the repository, in order, without what is built or hidden.
fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        let entries = fs::read_dir(&directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        for entry in entries.with_context(|| format!("cannot list {}", directory.display()))? {
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                directories.extend(is_source(&path).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path.strip_prefix(root)?.to_path_buf());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Cargo marks its target directories as caches, wherever they are.
fn is_source(directory: &Path) -> bool {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.')
        && !matches!(&*name, "target" | "node_modules")
        && !directory.join("CACHEDIR.TAG").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_of(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    fn measured(file: &str, text: &str) -> Vec<(String, bool)> {
        measure(Path::new(file), text)
            .into_iter()
            .map(|finding| (finding.place, finding.is_note))
            .collect()
    }

    #[test]
    fn a_file_is_noted_first_and_refused_later() {
        assert_eq!(measured("a.rs", &"//\n".repeat(400)), []);
        assert_eq!(measured("a.rs", &"//\n".repeat(401)), [("a.rs".to_owned(), true)]);
        assert_eq!(measured("a.rs", &"//\n".repeat(600)), [("a.rs".to_owned(), true)]);
        assert_eq!(measured("a.rs", &"//\n".repeat(601)), [("a.rs".to_owned(), false)]);
    }

    #[test]
    fn a_function_is_refused_over_the_limit_but_not_in_tests() {
        assert_eq!(measured("src/a.rs", &function_of(70)), []);
        assert_eq!(measured("src/a.rs", &function_of(71)), [("src/a.rs::long".to_owned(), false)]);
        assert_eq!(measured("tests/it/a.rs", &function_of(71)), []);
        assert_eq!(measured("src/a/tests.rs", &function_of(71)), []);
    }

    #[test]
    fn an_exception_needs_a_reason_and_excuses_one_place() {
        let findings = measure(Path::new("a.rs"), &function_of(71));
        assert!(report(&findings, &BTreeSet::new(), 1).is_err());
        let excused =
            exceptions("# Comment.\n\na.rs::long: a table in the shape of code\n").unwrap();
        report(&findings, &excused, 1).unwrap();
        assert!(exceptions("a.rs::long").is_err());
        assert!(exceptions("a.rs::long:   ").is_err());
    }

    #[test]
    fn the_walk_finds_sources_and_leaves_out_what_is_built() {
        let root = tempfile::tempdir().unwrap();
        for file in [
            "b/src/lib.rs",
            "a.rs",
            "target/debug/c.rs",
            ".git/d.rs",
            "cache/CACHEDIR.TAG",
            "cache/e.rs",
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        assert_eq!(
            rust_files(root.path()).unwrap(),
            [Path::new("a.rs"), Path::new("b/src/lib.rs")]
        );
    }
}
