//! `kycc key …`: needs no fleet, writes no file.

use kycc_rpc::draw_key;
use serde_json::json;

use crate::args::{CreateKeyArgs, Global, KeyCommand};
use crate::show::json;

pub(crate) fn run(global: &Global, command: KeyCommand) -> anyhow::Result<()> {
    let KeyCommand::Create(args) = command;
    let CreateKeyArgs {
        id,
        principal,
        roles,
        expires,
    } = args;
    let principal = principal.unwrap_or_else(|| id.clone());
    let drawn = draw_key(&id, &principal, &roles, expires)?;
    if global.json {
        json::print(&json!({ "key": drawn.key.expose(), "entry": drawn.entry }));
        return Ok(());
    }
    println!("The key, which nobody can show again:\n");
    println!("{}\n", drawn.key.expose());
    println!("Its entry for the file of security.api_keys_file, below `keys:`:\n");
    print!("{}", drawn.yaml());
    Ok(())
}
