//! The layering as data: which layer may use which, and which libraries belong to which layer.
//!
//! A package's layer follows from its directory. A package in a directory without a layer is a violation, so
//! that nobody adds a crate without saying where in the house it lives.

use std::{collections::BTreeMap, fmt, path::Path, path::PathBuf};

/// A member of the workspace.
#[derive(Clone, Debug)]
pub struct Package {
    pub name: String,
    /// Relative to the root of the workspace.
    pub directory: PathBuf,
    pub dependencies: Vec<Dependency>,
}

#[derive(Clone, Debug)]
pub struct Dependency {
    pub name: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Normal,
    Build,
    Dev,
}

/// A dependency that must not be, or a package without a layer.
#[derive(Debug, PartialEq, Eq)]
pub struct Violation {
    what: String,
    why: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}.", self.what, self.why)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Domain,
    Ports,
    Store,
    Engine,
    Kit,
    Door,
    /// A binding of another door's protocol.
    Binding,
    Adapter,
    Binary,
    Testkit,
    Fuzz,
    Bench,
    Sim,
    Xtask,
}

use Layer::{
    Adapter, Bench, Binary, Binding, Domain, Door, Engine, Fuzz, Kit, Ports, Sim, Store, Testkit,
    Xtask,
};

impl Layer {
    fn of(directory: &Path) -> Option<Self> {
        let names: Vec<_> =
            directory.iter().map(|name| name.to_str().unwrap_or_default()).collect();
        Some(match names[..] {
            ["core", "domain"] => Domain,
            ["core", "ports"] => Ports,
            ["core", "store"] => Store,
            ["core", "engine"] => Engine,
            ["doors", "kit" | "signatures"] => Kit,
            ["doors", "mcp"] => Binding,
            ["doors", _] => Door,
            ["adapters", _] => Adapter,
            ["handel"] => Binary,
            ["testkit"] => Testkit,
            ["fuzz"] => Fuzz,
            ["bench"] => Bench,
            ["sim"] => Sim,
            ["xtask"] => Xtask,
            _ => return None,
        })
    }

    /// The layers below this one that its code may use.
    fn may_use(self) -> &'static [Self] {
        match self {
            Domain | Xtask => &[],
            Ports | Store | Bench => &[Domain],
            Engine => &[Domain, Ports, Store],
            Kit => &[Domain, Ports, Engine],
            Door => &[Domain, Ports, Engine, Kit],
            Binding => &[Domain, Ports, Engine, Kit, Door],
            Adapter => &[Domain, Ports],
            Binary => &[Domain, Ports, Store, Engine, Kit, Door, Binding, Adapter],
            Testkit => &[Domain, Ports, Store, Engine, Adapter],
            Sim => &[Domain, Ports, Store, Engine, Kit, Door, Testkit],
            Fuzz => &[Domain, Ports, Engine, Kit, Door, Binding, Adapter, Testkit],
        }
    }

    /// Why this layer uses nothing but [`Self::may_use`].
    fn why(self) -> &'static str {
        match self {
            Domain => "the domain is pure and sees no other crate of the workspace",
            Ports => "ports are plain traits and types over the domain alone",
            Store => "the store is a database in two dialects and knows the domain alone",
            Engine => {
                "the engine reaches the world through ports and the store, and knows no door and no adapter"
            }
            Kit => {
                "what doors share stands on the engine and never sees the store, a door or an adapter"
            }
            Door => {
                "a door maps its protocol to the engine and never sees the store, another door or an adapter"
            }
            Binding => {
                "a binding carries the protocol of another door and never sees the store or an adapter"
            }
            Adapter => {
                "an adapter implements ports and never sees the engine, the store, a door or another adapter"
            }
            Binary => {
                "the binary wires the product, and what tests and developers use is no part of it"
            }
            Testkit => "the test kit is a shop below the doors",
            Fuzz => "the fuzz targets are a shop of the test kit with its doors",
            Bench => "the bench meets a shop over the wire, as any client does",
            Sim => {
                "the simulation drives the engine and its doors, and is its own world in the place of adapters"
            }
            Xtask => "developer commands build without the product",
        }
    }
}

/// Every dependency of the workspace that the layering does not allow, in the order of the packages.
pub fn violations(packages: &[Package]) -> Vec<Violation> {
    let layers: BTreeMap<_, _> = packages
        .iter()
        .filter_map(|package| Some((package.name.as_str(), Layer::of(&package.directory)?)))
        .collect();
    packages.iter().flat_map(|package| of_package(package, &layers)).collect()
}

fn of_package(package: &Package, layers: &BTreeMap<&str, Layer>) -> Vec<Violation> {
    let Some(&from) = layers.get(package.name.as_str()) else {
        return vec![Violation {
            what: format!("{} in `{}`", package.name, package.directory.display()),
            why: "this directory has no layer; move the package or name its layer in xtask/src/layers/rules.rs",
        }];
    };
    let refusal = |dependency: &Dependency| match layers.get(dependency.name.as_str()) {
        _ if dependency.name == package.name => None,
        Some(&to) => between_layers(from, to, dependency.kind),
        None => of_library(package, from, dependency),
    };
    package
        .dependencies
        .iter()
        .filter_map(|dependency| {
            Some(Violation { what: edge(package, dependency), why: refusal(dependency)? })
        })
        .collect()
}

fn edge(package: &Package, dependency: &Dependency) -> String {
    let kind = match dependency.kind {
        Kind::Normal => "",
        Kind::Build => " (build)",
        Kind::Dev => " (dev)",
    };
    format!("{} → {}{kind}", package.name, dependency.name)
}

fn between_layers(from: Layer, to: Layer, kind: Kind) -> Option<&'static str> {
    if from.may_use().contains(&to) || (kind == Kind::Dev && matches!(to, Testkit | Adapter)) {
        return None;
    }
    Some(match to {
        Binary => "nothing depends on the binary",
        Fuzz => "nothing depends on the fuzz targets",
        Bench => "nothing depends on the bench",
        Sim => "nothing depends on the simulation",
        Xtask => "nothing depends on the developer commands",
        Testkit => "the test kit is for dev-dependencies and the simulation alone",
        _ => from.why(),
    })
}

/// Libraries that would let effects into the domain.
const IMPURE: [&str; 8] =
    ["async-trait", "axum", "rand", "rusqlite", "serde_json", "tokio", "tokio-postgres", "tracing"];

/// Prefixes of the libraries that talk to a database.
const DATABASE_DRIVERS: [&str; 3] = ["deadpool", "rusqlite", "tokio-postgres"];

fn of_library(package: &Package, layer: Layer, dependency: &Dependency) -> Option<&'static str> {
    let name = dependency.name.as_str();
    let is_dev = dependency.kind == Kind::Dev;
    if layer == Domain && !is_dev && IMPURE.contains(&name) {
        return Some(
            "the domain is pure: no async, no I/O, no randomness, no logging, no JSON values",
        );
    }
    if name.starts_with("axum") && !speaks_http(layer, is_dev) {
        return Some(
            "HTTP servers belong to doors, adapters, the binary, and what drives doors in process",
        );
    }
    let has_database = matches!(layer, Store | Testkit | Bench)
        || package.directory == Path::new("adapters/local");
    if DATABASE_DRIVERS.iter().any(|driver| name.starts_with(driver)) && !has_database && !is_dev {
        return Some("databases are reached through the store alone");
    }
    None
}

fn speaks_http(layer: Layer, is_dev: bool) -> bool {
    matches!(layer, Kit | Door | Binding | Adapter | Binary | Fuzz | Sim)
        || (layer == Testkit && is_dev)
}

#[cfg(test)]
mod tests;
