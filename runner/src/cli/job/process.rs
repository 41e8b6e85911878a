//! `syftbox job process`.

use clap::Args;
use syftbox_core::jobs::{JobId, ProcessOptions, Processed};

use super::{
    super::{
        CliError, Output, limits::LimitArguments, options::Options, output::note, session::Session,
        sync::tell_refusals,
    },
    human,
};
use crate::{
    jobs::{JobEvent, SandboxRunner},
    runtime::{RuntimeStore, default_cache_dir},
    sandbox::Cancel,
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
}

pub(super) async fn run(options: &Options, output: Output, arguments: &Arguments) -> Result<(), CliError> {
    let (policy, asked) = arguments.limits.resolve()?;
    let mut session = Session::open(options).await?;
    let cancel = Cancel::default();
    end_jobs_on_interrupt(cancel.clone());
    let store = RuntimeStore::open(&default_cache_dir()?);
    let streams = !arguments.no_stream;
    let watcher = move |id: &JobId, event: JobEvent<'_>| match event {
        JobEvent::Line(_) if !streams => {}
        event => tell(id, event),
    };
    let runner = SandboxRunner::new(session.folder(), store, policy, asked, cancel, watcher);
    let how = ProcessOptions {
        share_outputs_with_submitter: arguments.shared.share_outputs,
        share_logs_with_submitter: arguments.shared.share_logs,
        timeout: None,
        force_execution: arguments.force,
    };
    let Processed { jobs, not_run, forced, sync } =
        session.manager.process_approved_jobs(&runner, &how).await?;
    tell_refusals(&sync);
    for (id, why) in &forced {
        note(format!("run all the same: {}: {why}", id.full_name()));
    }
    for (id, why) in &not_run {
        note(format!("not run: {}: {why}", id.full_name()));
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

/// The first Ctrl-C ends the jobs and lets their end be published; the second ends the program.
pub(in crate::cli) fn end_jobs_on_interrupt(cancel: Cancel) {
    tokio::spawn(async move {
        let mut times = 0;
        while tokio::signal::ctrl_c().await.is_ok() {
            times += 1;
            if times > 1 {
                std::process::exit(130);
            }
            note("ending the running jobs; press Ctrl-C again to leave at once");
            cancel.cancel();
        }
    });
}
