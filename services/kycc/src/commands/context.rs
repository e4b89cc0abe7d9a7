//! `kycc context …`: names for fleets.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use crate::args::{AddContextArgs, ContextCommand, Global};
use crate::contexts::{self, Context, Contexts};
use crate::fleet_config;
use crate::show::{Table, json as show_json};

pub(crate) fn run(global: &Global, command: ContextCommand) -> anyhow::Result<()> {
    let path = contexts::path(&fleet_config::environment())
        .context("there is no HOME to keep contexts in; name a file with KYCC_CONTEXTS")?;
    let mut known = Contexts::read(&path)?;
    match command {
        ContextCommand::List => {
            list(global, &known);
            return Ok(());
        }
        ContextCommand::Add(args) => add(&mut known, args)?,
        ContextCommand::Use { name } => {
            known.named(&name)?;
            known.current = Some(name);
        }
        ContextCommand::Unset => known.current = None,
        ContextCommand::Remove { name } => {
            known.named(&name)?;
            known.contexts.remove(&name);
            known.current = known.current.filter(|current| *current != name);
        }
    }
    known.write(&path)
}

fn add(known: &mut Contexts, args: AddContextArgs) -> anyhow::Result<()> {
    let AddContextArgs {
        name,
        address,
        token_file,
        ca_file,
        cert_file,
        key_file,
    } = args;
    // Commands are typed in many folders.
    let absolute = |file: Option<PathBuf>| {
        let file = file.as_deref();
        file.map(|file| {
            std::fs::canonicalize(file).with_context(|| format!("cannot find {}", file.display()))
        })
        .transpose()
    };
    let context = Context {
        address,
        token_file: absolute(token_file)?,
        ca_file: absolute(ca_file)?,
        cert_file: absolute(cert_file)?,
        key_file: absolute(key_file)?,
    };
    known.current.get_or_insert_with(|| name.clone());
    known.contexts.insert(name, context);
    Ok(())
}

fn list(global: &Global, known: &Contexts) {
    if global.json {
        show_json::print(&json!(known));
        return;
    }
    let text = |file: &Option<PathBuf>| {
        let file = file.as_deref();
        file.map(Path::display)
            .map(|shown| shown.to_string())
            .unwrap_or_default()
    };
    let mut table = Table::new(&["", "context", "address", "token", "roots"]);
    for (name, context) in &known.contexts {
        let current = known.current.as_ref() == Some(name);
        table.row([
            if current { "*" } else { "" }.to_owned(),
            name.clone(),
            context.address.clone(),
            text(&context.token_file),
            text(&context.ca_file),
        ]);
    }
    table.print("no contexts; `kycc context add NAME --address HOST:PORT` makes one");
}
