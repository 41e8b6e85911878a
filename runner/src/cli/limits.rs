//! The limits of jobs as options.

use std::time::Duration;

use clap::Args;

use super::size::ByteSize;
use crate::sandbox::Limits;

/// What `SYFT_DEFAULT_JOB_TIMEOUT_SECONDS` is to the Python peers, it is here (wire section 5).
#[derive(Args)]
pub(super) struct LimitArguments {
    /// How long each job may run
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "300",
        env = "SYFT_DEFAULT_JOB_TIMEOUT_SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=30 * 24 * 3600)
    )]
    timeout: u64,
    /// Memory of a job, at most 4G
    #[arg(long, value_name = "BYTES", default_value = "4G")]
    memory: ByteSize,
    /// Bytes that a job may write to `outputs/` and `/tmp`
    #[arg(long, value_name = "BYTES", default_value = "1G")]
    output_bytes: ByteSize,
    /// Files that a job may write to `outputs/` and `/tmp`
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().output_files)]
    output_files: u64,
    /// Bytes that a job may print, to stdout and again to stderr
    #[arg(long, value_name = "BYTES", default_value = "10M")]
    log_bytes: ByteSize,
}

impl LimitArguments {
    pub(super) fn limits(&self) -> Limits {
        let defaults = Limits::default();
        Limits {
            time: Duration::from_secs(self.timeout),
            memory: self.memory.0.min(defaults.memory),
            output_bytes: self.output_bytes.0,
            output_files: self.output_files,
            log_bytes_per_stream: self.log_bytes.0,
            ..defaults
        }
    }
}
