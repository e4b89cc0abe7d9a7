//! The shape of the workspace, as ARCHITECTURE.md draws it: dependencies point one way, services do not know each other.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by stopping"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Libraries, bottom-up: each may use those before it.
const LAYERS: [&str; 13] = [
    "kycc-one-build",
    "kycc-domain",
    "kycc-workbench",
    "kycc-proto",
    "kycc-telemetry",
    "kycc-store",
    "kycc-audit",
    "kycc-queue",
    "kycc-lake",
    "kycc-rpc",
    "kycc-client",
    "kycc-runtime",
    "kycc-synthetic",
];

/// Who assembles may use everything.
const ASSEMBLIES: [&str; 3] = ["kycc-embed", "kycc-testkit", "kycc"];

/// Name, folder and own dependencies (without those of tests) of every crate.
fn crates() -> Vec<(String, String, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let own = |package: &Value| -> Vec<String> {
        let all = package["dependencies"].as_array().unwrap().iter();
        let normal = all.filter(|dependency| dependency["kind"].is_null());
        normal
            .map(|dependency| text(&dependency["name"]))
            .filter(|name| name.starts_with("kycc"))
            .collect()
    };
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            (
                text(&package["name"]),
                text(&package["manifest_path"]),
                own(package),
            )
        })
        .collect()
}

#[test]
fn libraries_use_only_what_lies_beneath_them() {
    let height: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .map(|(height, name)| (*name, height))
        .collect();
    for (name, _, uses) in crates() {
        let Some(own) = height.get(name.as_str()) else {
            continue;
        };
        for used in uses {
            let lies = height.get(used.as_str());
            assert!(
                lies.is_some_and(|lies| lies < own),
                "{name} must not use {used}"
            );
        }
    }
}

#[test]
fn no_service_uses_another_and_only_assemblies_use_services() {
    let all = crates();
    let is_service = |name: &str| {
        let found = all.iter().find(|(other, ..)| other == name);
        found.is_some_and(|(_, path, _)| path.contains("/services/")) && name != "kycc"
    };
    let mut services = 0;
    for (name, _, uses) in &all {
        services += usize::from(is_service(name));
        if !ASSEMBLIES.contains(&name.as_str()) {
            let service = uses.iter().find(|used| is_service(used));
            assert_eq!(service, None, "{name} must not use a service");
        }
    }
    assert_eq!(services, 11);
}

#[test]
fn every_crate_has_its_place() {
    for (name, path, _) in crates() {
        let known = LAYERS.contains(&name.as_str()) || ASSEMBLIES.contains(&name.as_str());
        assert!(
            known || path.contains("/services/"),
            "{name} is not in the table of layers"
        );
        assert!(Path::new(&path).exists());
    }
}
