//! `check-layers`: reads the workspace's manifests and holds them against the layering.
//!
//! Owns the reading and the report; [`rules`] owns what is allowed.

mod rules;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process;
use rules::{Dependency, Kind, Package};

/// Prints every dependency that the layering does not allow, and fails if there is one.
pub fn check() -> Result<()> {
    let packages = workspace()?;
    let violations = rules::violations(&packages);
    for violation in &violations {
        println!("{violation}");
    }
    if !violations.is_empty() {
        bail!("{} of the workspace's dependencies break the layering", violations.len());
    }
    println!("check-layers: {} packages keep the layering", packages.len());
    Ok(())
}

/// The part of `cargo metadata` that the rules need.
#[derive(Debug, Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    packages: Vec<MetadataPackage>,
}

#[derive(Debug, Deserialize)]
struct MetadataPackage {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<MetadataDependency>,
}

#[derive(Debug, Deserialize)]
struct MetadataDependency {
    name: String,
    kind: Option<String>,
}

fn workspace() -> Result<Vec<Package>> {
    // Without dependencies nothing is resolved, so this needs no network and no lock file.
    let json =
        process::read(&mut process::cargo(["metadata", "--no-deps", "--format-version", "1"]))?;
    parse(&json).context("cannot read what `cargo metadata` printed")
}

fn parse(json: &str) -> Result<Vec<Package>> {
    let metadata: Metadata = serde_json::from_str(json)?;
    metadata
        .packages
        .into_iter()
        .map(|package| convert(&metadata.workspace_root, package))
        .collect()
}

fn convert(root: &Path, package: MetadataPackage) -> Result<Package> {
    let directory = package
        .manifest_path
        .parent()
        .and_then(|directory| directory.strip_prefix(root).ok())
        .with_context(|| format!("{} lies outside the workspace", package.name))?
        .to_path_buf();
    let dependencies = package
        .dependencies
        .into_iter()
        .map(|dependency| Dependency {
            kind: kind(dependency.kind.as_deref()),
            name: dependency.name,
        })
        .collect();
    Ok(Package { name: package.name, directory, dependencies })
}

fn kind(kind: Option<&str>) -> Kind {
    match kind {
        Some("dev") => Kind::Dev,
        Some("build") => Kind::Build,
        _ => Kind::Normal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_becomes_packages_with_their_directory_and_kinds() {
        let packages = parse(
            r#"{"workspace_root": "/shop", "packages": [{
                "name": "handel-domain", "manifest_path": "/shop/core/domain/Cargo.toml",
                "dependencies": [
                    {"name": "jiff", "kind": null, "optional": false},
                    {"name": "cc", "kind": "build"},
                    {"name": "proptest", "kind": "dev"}
                ]}]}"#,
        )
        .unwrap();
        assert_eq!(packages.len(), 1);
        assert_eq!(packages[0].directory, Path::new("core/domain"));
        let kinds: Vec<_> =
            packages[0].dependencies.iter().map(|dependency| dependency.kind).collect();
        assert_eq!(kinds, [Kind::Normal, Kind::Build, Kind::Dev]);
    }

    #[test]
    fn this_workspace_can_be_read() {
        let packages = workspace().unwrap();
        assert!(packages.iter().any(|package| package.directory == Path::new("xtask")));
    }
}
