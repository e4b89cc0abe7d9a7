//! The configuration of a fleet in this process: file, environment, then what was typed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use kycc_rpc::Principal;
use kycc_runtime::{ConfigLayer, FleetConfig, SecurityLayer};

use crate::args::{FleetArgs, Global};

/// The process's own environment, once.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars().collect()
}

/// What is in force, before a command adds addresses and roots of its own.
pub(crate) fn resolve(global: &Global, args: &FleetArgs) -> anyhow::Result<FleetConfig> {
    let environment = environment();
    let file = match &global.config_file {
        Some(path) => ConfigLayer::read(path)?,
        None => ConfigLayer::default(),
    };
    let variables = ConfigLayer::from_env(&environment)?;
    let unsaid = file.data_dir.is_none() && variables.data_dir.is_none();
    let default = unsaid.then(|| crate::args::DEFAULT_DATA_DIR.into());
    let typed = ConfigLayer {
        data_dir: global.data_dir.clone().or(default),
        pipeline: args.pipeline.as_deref().map(absolute).transpose()?,
        threads: args.threads,
        parties_per_shard: args.parties_per_shard,
        security: Some(SecurityLayer {
            allow_unauthenticated: args.allow_unauthenticated.then_some(true),
            allow_plaintext: args.allow_plaintext.then_some(true),
            ..SecurityLayer::default()
        }),
        ..ConfigLayer::default()
    };
    let mut config = FleetConfig::resolve([file, variables, typed])?;
    for root in &args.allow_roots {
        let root = std::fs::canonicalize(root)
            .with_context(|| format!("--allow-root {}: no such folder", root.display()))?;
        config.allowed_roots.push(root);
    }
    config
        .allowed_roots
        .extend(crate::grants::read(&config.data_dir)?);
    if config.local_principal == Principal::anonymous() {
        // A container or a service often has no USER, but everybody has a number.
        let uid = rustix::process::getuid().as_raw();
        config.local_principal = Principal::new(format!("uid-{uid}"));
    }
    Ok(config)
}

/// The landing folder in force.
pub(crate) fn landing(global: &Global) -> anyhow::Result<PathBuf> {
    Ok(resolve(global, &FleetArgs::default())?.landing)
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::fs::canonicalize(path)
        .with_context(|| format!("--pipeline {}: no such file", path.display()))
}
