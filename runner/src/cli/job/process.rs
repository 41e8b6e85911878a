//! `syftbox job process`.

use clap::Args;
use syftbox_core::jobs::{JobId, ProcessOptions, Processed};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    super::{
        CliError, Output, limits::LimitArguments, options::Options, output::note, session::Session,
        sync::tell_refusals,
    },
    human,
};
use crate::{
    jobs::{JobEvent, SandboxRunner, SharedMemory},
    runtime::default_cache_dir,
    sandbox::{ByteSize, Cancel},
};

#[derive(Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    shared: Shared,
    /// Also run jobs of peers that can't be talked to now
    #[arg(long)]
    force: bool,
    /// Don't show what jobs print while they run; `job logs` shows it afterwards
    #[arg(long)]
    no_stream: bool,
    /// How many jobs run at once
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// Memory that jobs may take together: those whose limits are above that wait for each other [default: three
    /// quarters of the machine's]
    #[arg(long, value_name = "BYTES")]
    total_memory: Option<ByteSize>,
    #[command(flatten)]
    limits: LimitArguments,
}

/// What the submitter gets of a job's results.
#[derive(Args)]
struct Shared {
    /// Let the submitter read what the job wrote to `outputs/`
    #[arg(long)]
    share_outputs: bool,
    /// Let the submitter read stdout, stderr and the return code
    #[arg(long)]
    share_logs: bool,
    /// Let the submitter read the signed receipt of the run. With both of the above they may; alone it gives
    /// away how the job ended, and hashes of outputs and logs
    #[arg(long)]
    share_receipt: bool,
}

pub(super) async fn run(options: &Options, output: Output, arguments: &Arguments) -> Result<(), CliError> {
    let (policy, asked) = arguments.limits.resolve()?;
    let mut session = Session::open(options).await?;
    let cancel = Cancel::default();
    end_jobs_on_interrupt(cancel.clone());
    let store = arguments.limits.store(&default_cache_dir()?);
    let memory = match arguments.total_memory {
        Some(ByteSize(bytes)) => SharedMemory::new(bytes),
        None => SharedMemory::of_machine(),
    };
    let streams = !arguments.no_stream;
    let watcher = move |id: &JobId, event: JobEvent<'_>| match event {
        JobEvent::Line(_) if !streams => {}
        event => tell(id, event),
    };
    let runner = SandboxRunner::new(session.folder(), store, policy, asked, memory, cancel, watcher);
    let how = ProcessOptions {
        share_outputs_with_submitter: arguments.shared.share_outputs,
        share_logs_with_submitter: arguments.shared.share_logs,
        share_receipt_with_submitter: arguments.shared.share_receipt,
        timeout: None,
        workers: arguments.workers.into(),
        force_execution: arguments.force,
    };
    let Processed { jobs, not_run, interrupted, forced, sync } =
        session.manager.process_approved_jobs(&runner, &how).await?;
    tell_refusals(&sync);
    for (id, why) in &forced {
        note(format!("run all the same: {}: {why}", id.full_name()));
    }
    for (id, why) in &not_run {
        note(format!("not run: {}: {why}", id.full_name()));
    }
    if !interrupted.is_empty() {
        return Err(CliError::Interrupted);
    }
    if jobs.is_empty() && not_run.is_empty() {
        note("no job is approved and waiting");
    }
    output.data(&jobs, || if jobs.is_empty() { String::new() } else { human(&jobs) })?;
    if not_run.is_empty() { Ok(()) } else { Err(CliError::NotRun { count: not_run.len() }) }
}

/// Shows a job at work. All of it goes to stderr: stdout is for the result of the command.
fn tell(id: &JobId, event: JobEvent<'_>) {
    let name = &id.name;
    match event {
        JobEvent::Installing { runtime } => {
            note(format!("the runtime {runtime} isn't here yet; installing it, once"));
        }
        JobEvent::Started => note(format!("[{name}] runs, for {}", id.submitted_by)),
        JobEvent::Line(line) => note(format!("[{name}] {}", line.printable())),
        JobEvent::Ended(outcome) => {
            let files = outcome.output_files;
            let files = format!("{files} {}", if files == 1 { "output file" } else { "output files" });
            let seconds = outcome.wall_time.as_secs_f64();
            note(format!("[{name}] {} after {seconds:.2} s, {files}", outcome.reason));
        }
    }
}

/// The first Ctrl-C, or the system's request to end, ends the jobs; the second ends the program.
pub(in crate::cli) fn end_jobs_on_interrupt(cancel: Cancel) {
    tokio::spawn(async move {
        let mut terminate = signal(SignalKind::terminate()).ok()?;
        for is_first in [true, false] {
            tokio::select! {
                pressed = tokio::signal::ctrl_c() => pressed.ok()?,
                _ = terminate.recv() => {}
            }
            if !is_first {
                std::process::exit(130);
            }
            note("ending the running jobs; press Ctrl-C again to leave at once");
            cancel.cancel();
        }
        Some(())
    });
}
