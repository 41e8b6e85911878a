//! The limits of jobs as options, and the policy that they stay within.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{CliError, settings::default_policy_path};
use crate::{
    policy::{Policy, SomeLimits},
    runtime::RuntimeStore,
    sandbox::{ByteSize, Limit},
};

/// What `SYFT_DEFAULT_JOB_TIMEOUT_SECONDS` is to the Python peers, it is here (wire section 5).
#[derive(Args)]
#[command(next_help_heading = "Limits of a job; the policy's where none is given here")]
pub(super) struct LimitArguments {
    /// The file of the site's defaults and ceilings [default: policy.toml in `syftbox` of the user's
    /// configuration folder, when it is there]
    #[arg(long, value_name = "FILE", env = "SYFTBOX_POLICY")]
    policy: Option<PathBuf>,
    /// Fix clocks and randomness, and count instructions, so that the same job gives the same bytes every time. Such
    /// jobs are about half as fast; the first one compiles the runtime for them
    #[arg(long)]
    pub(super) deterministic: bool,
    /// How long each job may run [default: 300]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "SYFT_DEFAULT_JOB_TIMEOUT_SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=30 * 24 * 3600)
    )]
    timeout: Option<u64>,
    /// Memory of a job [default: 4G, which is also the most]
    #[arg(long, value_name = "BYTES")]
    memory: Option<ByteSize>,
    /// Instructions that a deterministic job may execute [default: 1000000000000]
    #[arg(long, value_name = "COUNT", requires = "deterministic")]
    instructions: Option<u64>,
    /// Bytes that a job may write to `outputs/` and `/tmp` [default: 1G]
    #[arg(long, value_name = "BYTES")]
    output_bytes: Option<ByteSize>,
    /// Files that a job may write to `outputs/` and `/tmp` [default: 10000]
    #[arg(long, value_name = "COUNT")]
    output_files: Option<u64>,
    /// Bytes that a job may print, to stdout and again to stderr [default: 10M]
    #[arg(long, value_name = "BYTES")]
    log_bytes: Option<ByteSize>,
    /// Files that a job may have open at once [default: 512]
    #[arg(long, value_name = "COUNT")]
    open_files: Option<u64>,
    /// Processes that a bash script may start, each `python3` being one [default: 10000]
    #[arg(long, value_name = "COUNT")]
    processes: Option<u64>,
}

impl LimitArguments {
    /// The runtimes for such jobs.
    pub(super) fn store(&self, cache: &Path) -> RuntimeStore {
        let store = RuntimeStore::open(cache);
        if self.deterministic { store.deterministic() } else { store }
    }

    /// The policy and what is asked for, which somebody's job may have.
    pub(super) fn resolve(&self) -> Result<(Policy, SomeLimits), CliError> {
        let policy = match (&self.policy, default_policy_path()) {
            (Some(path), _) => Policy::read(path)?,
            (None, Some(path)) if path.exists() => Policy::read(&path)?,
            (None, _) => Policy::default(),
        };
        let bytes = |size: &Option<ByteSize>| size.map(|ByteSize(bytes)| bytes);
        let asked: SomeLimits = [
            (Limit::Time, self.timeout.map(|seconds| seconds * 1000)),
            (Limit::Memory, bytes(&self.memory)),
            (Limit::Instructions, self.instructions),
            (Limit::OutputBytes, bytes(&self.output_bytes)),
            (Limit::OutputFiles, self.output_files),
            (Limit::LogBytes, bytes(&self.log_bytes)),
            (Limit::OpenFiles, self.open_files),
            (Limit::Processes, self.processes),
        ]
        .into_iter()
        .filter_map(|(limit, value)| Some((limit, value?)))
        .collect();
        policy.check(&asked)?;
        Ok((policy, asked))
    }
}
