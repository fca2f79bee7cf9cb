//! Parse, run, exit code.

use clap::Parser;
use std::process::ExitCode;

/// Many short-lived JSON values a request: the system allocator costs a fifth of the throughput.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    muster::cli::run(muster::cli::Cli::parse())
}
