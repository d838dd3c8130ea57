//! Goal: every rule of the layering refuses what it is there to refuse, on graphs made up for it.

use super::*;

/// Every layer once, each with all the dependencies that it is allowed.
fn house() -> Vec<Package> {
    vec![
        package("core/domain", "handel-domain", &["jiff"]),
        package("core/ports", "handel-ports", &["handel-domain", "tokio"]),
        package("core/store", "handel-store", &["handel-domain", "rusqlite", "deadpool-postgres"]),
        package("core/engine", "handel-engine", &["handel-domain", "handel-ports", "handel-store"]),
        package(
            "doors/kit",
            "handel-kit",
            &["handel-domain", "handel-ports", "handel-engine", "axum"],
        ),
        package(
            "doors/rest",
            "handel-rest",
            &["handel-domain", "handel-ports", "handel-engine", "handel-kit"],
        ),
        package("doors/signatures", "handel-signatures", &["http"]),
        package("doors/ucp", "handel-ucp", &["handel-kit", "handel-signatures", "axum"]),
        package("doors/mcp", "handel-mcp", &["handel-kit", "handel-ucp", "axum"]),
        package(
            "adapters/local",
            "handel-local",
            &["handel-domain", "handel-ports", "rusqlite", "axum"],
        ),
        package("adapters/web", "handel-web", &["handel-ports"]),
        package("adapters/stripe", "handel-stripe", &["handel-ports"]),
        package("handel", "handel", &["handel-store", "handel-rest", "handel-stripe", "axum"]),
        package(
            "testkit",
            "handel-testkit",
            &["handel-engine", "handel-store", "handel-local", "tokio-postgres"],
        ),
        package("bench", "handel-bench", &["handel-domain"]),
        package(
            "sim",
            "handel-sim",
            &[
                "handel-store",
                "handel-engine",
                "handel-testkit",
                "handel-kit",
                "handel-rest",
                "axum",
            ],
        ),
        package("xtask", "xtask", &["serde_json"]),
    ]
}

fn package(directory: &str, name: &str, dependencies: &[&str]) -> Package {
    let dependencies = dependencies.iter().map(|name| on(name, Kind::Normal)).collect();
    Package { name: name.to_owned(), directory: directory.into(), dependencies }
}

fn on(name: &str, kind: Kind) -> Dependency {
    Dependency { name: name.to_owned(), kind }
}

/// What is said when `from` gets a dependency more.
fn said(from: &str, to: &str, kind: Kind) -> Vec<String> {
    let mut packages = house();
    let package =
        packages.iter_mut().find(|package| package.name == from).expect("a package of the house");
    package.dependencies.push(on(to, kind));
    violations(&packages).iter().map(ToString::to_string).collect()
}

fn assert_refused(from: &str, to: &str, kind: Kind) {
    let said = said(from, to, kind);
    assert_eq!(said.len(), 1, "{from} → {to} {kind:?}: {said:?}");
    assert!(said[0].starts_with(&format!("{from} → {to}")), "{said:?}");
}

fn assert_allowed(from: &str, to: &str, kind: Kind) {
    assert_eq!(said(from, to, kind), [""; 0], "{from} → {to} {kind:?}");
}

#[test]
fn the_house_as_designed_has_no_violation() {
    assert_eq!(violations(&house()), []);
}

#[test]
fn dependencies_never_point_up_or_sideways() {
    for (from, to) in [
        ("handel-domain", "handel-ports"),
        ("handel-ports", "handel-store"),
        ("handel-store", "handel-ports"),
        ("handel-engine", "handel-kit"),
        ("handel-kit", "handel-store"),
        ("handel-kit", "handel-rest"),
        ("handel-rest", "handel-store"),
        ("handel-rest", "handel-ucp"),
        ("handel-ucp", "handel-mcp"),
        ("handel-mcp", "handel-store"),
        ("handel-rest", "handel-local"),
        ("handel-local", "handel-engine"),
        ("handel-local", "handel-store"),
        ("handel-local", "handel-stripe"),
        ("handel-testkit", "handel-rest"),
        ("handel-bench", "handel-engine"),
        ("handel-sim", "handel-local"),
        ("xtask", "handel-domain"),
    ] {
        assert_refused(from, to, Kind::Normal);
        assert_refused(from, to, Kind::Build);
        // Tests may run a layer on a real adapter.
        if !matches!(to, "handel-local" | "handel-stripe") {
            assert_refused(from, to, Kind::Dev);
        }
    }
}

#[test]
fn the_engine_meets_an_adapter_in_tests_alone() {
    assert_refused("handel-engine", "handel-local", Kind::Normal);
    assert_refused("handel-engine", "handel-local", Kind::Build);
    assert_allowed("handel-engine", "handel-local", Kind::Dev);
}

#[test]
fn nothing_depends_on_the_binary_the_bench_the_simulation_or_the_developer_commands() {
    for to in ["handel", "handel-bench", "handel-sim", "xtask"] {
        for from in ["handel-engine", "handel-rest", "handel-testkit"] {
            assert_refused(from, to, Kind::Normal);
            assert_refused(from, to, Kind::Dev);
        }
    }
    assert_refused("handel", "xtask", Kind::Normal);
}

#[test]
fn the_test_kit_is_for_dev_dependencies_and_the_simulation_alone() {
    for from in ["handel-domain", "handel-engine", "handel-rest", "handel-local", "handel"] {
        assert_allowed(from, "handel-testkit", Kind::Dev);
        assert_refused(from, "handel-testkit", Kind::Normal);
        assert_refused(from, "handel-testkit", Kind::Build);
    }
}

#[test]
fn the_domain_stays_pure() {
    for library in IMPURE {
        assert_refused("handel-domain", library, Kind::Normal);
    }
    assert_allowed("handel-domain", "serde_json", Kind::Dev);
    assert_allowed("handel-domain", "serde", Kind::Normal);
}

#[test]
fn http_servers_stay_in_doors_adapters_and_the_binary() {
    for from in ["handel-ports", "handel-store", "handel-engine", "handel-bench"] {
        assert_refused(from, "axum", Kind::Normal);
        assert_refused(from, "axum", Kind::Dev);
    }
    assert_refused("handel-testkit", "axum", Kind::Normal);
    assert_allowed("handel-testkit", "axum", Kind::Dev);
    assert_allowed("handel-stripe", "axum", Kind::Normal);
}

#[test]
fn database_drivers_stay_in_the_store() {
    for from in ["handel-engine", "handel-rest", "handel-stripe", "handel"] {
        for driver in ["rusqlite", "tokio-postgres", "tokio-postgres-rustls", "deadpool-postgres"] {
            assert_refused(from, driver, Kind::Normal);
            assert_allowed(from, driver, Kind::Dev);
        }
    }
}

#[test]
fn a_package_without_a_layer_is_a_violation() {
    let mut packages = house();
    packages.push(package("core/helpers", "handel-helpers", &[]));
    packages.push(package("doors/rest/types", "handel-rest-types", &[]));
    let said: Vec<_> = violations(&packages).iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("handel-helpers in `core/helpers`: this directory has no layer"),
        "{said:?}"
    );
}

#[test]
fn a_package_may_name_itself() {
    assert_allowed("handel-store", "handel-store", Kind::Dev);
}

#[test]
fn a_violation_is_a_sentence_with_its_reason() {
    assert_eq!(
        said("handel-rest", "handel-store", Kind::Dev),
        [
            "handel-rest → handel-store (dev): a door maps its protocol to the engine and never sees the store, \
          another door or an adapter."
        ]
    );
}
