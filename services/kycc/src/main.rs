//! The `kycc` command: the whole fleet in one process, and a client of it.

#[macro_use]
mod show;

mod args;
mod commands;
mod connection;
mod contexts;
mod failure;
mod fleet_config;
mod grants;
mod inputs;
mod remote;
mod serving;
mod watch;

use std::process::ExitCode;

use clap::Parser;

/// Parsing and columns allocate in bursts from several threads, which the system allocator serves badly.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the process could not start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = match runtime.block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(error) => {
            failure::print(&error);
            ExitCode::FAILURE
        }
    };
    // A reader of stdin or a resolver may still sit on a blocking thread; nothing waits for it.
    runtime.shutdown_background();
    code
}
