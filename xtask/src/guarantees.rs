//! Every test that `docs/guarantees.md` names exists where it says, so that no promise loses its proof unnoticed.

use std::{fs, path::Path};

use crate::process;

/// The links of a document to something in a source file: what is named, and in which file.
fn named(document: &str) -> Vec<(String, String)> {
    let links = document.split("[`").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once("`](")?;
        let (file, _) = rest.split_once(')')?;
        file.ends_with(".rs").then(|| (name.to_owned(), file.to_owned()))
    });
    links.collect()
}

/// What is named and not there.
fn missing(document: &str, directory: &Path) -> Vec<String> {
    let lost = named(document).into_iter().filter(|(name, file)| {
        let source = fs::read_to_string(directory.join(file)).unwrap_or_default();
        !source.contains(&format!("fn {name}("))
    });
    lost.map(|(name, file)| format!("{name} in {file}")).collect()
}

#[test]
fn every_test_that_a_guarantee_names_exists() {
    let docs = process::repository_root().join("docs");
    let document = fs::read_to_string(docs.join("guarantees.md")).expect("the guarantees");
    let count = named(&document).len();
    assert!(count >= 60, "only {count} tests are named");
    assert_eq!(missing(&document, &docs), Vec::<String>::new());
    for promise in document.split("\n## ").skip(1) {
        let title = promise.lines().next().unwrap_or_default();
        assert!(!named(promise).is_empty(), "nothing proves: {title}");
        assert!(promise.contains("$ cargo xtask test"), "nothing runs the proof of: {title}");
        assert!(promise.contains("https://github.com/"), "nobody broke: {title}");
    }
}

#[test]
fn a_test_that_is_gone_is_noticed() {
    let docs = process::repository_root().join("docs");
    let document =
        "[`no_such_test`](../xtask/src/main.rs), [`main`](../xtask/src/main.rs), [x](y.rs)";
    assert_eq!(missing(document, &docs), ["no_such_test in ../xtask/src/main.rs"]);
}
