//! A job from start to end, as the runner sees it.

use std::{fs, io, path::Path, time::Instant};

use super::{
    Calling, Ending, Exceeded, GuestRuntime, JobSpec, Launcher, Limit, LogLine, Outcome, SandboxError,
    child::{Assignment, Code, GuestLimits, Mount, Program},
    collect::{self, Collected},
    engine::{self, Build},
    guest::PACKAGES,
    job::{JOB_FOLDER, OUTPUTS, SYFTBOX_FOLDER, WHEELS, WORKING_DIRECTORY},
    record::Record,
    scratch::Scratch,
    tree::{self, Uncountable},
    verdict::Verdict,
    watch::{self, Cancel},
    witness::Witness,
};

/// The folder of the code in the job's folder.
const CODE: &str = "code";

/// Runs jobs in one runtime, each in a process of its own.
#[derive(Clone, Debug)]
pub struct Sandbox {
    launcher: Launcher,
    /// `None` when jobs are programs of their own.
    runtime: Option<GuestRuntime>,
}

impl Sandbox {
    /// A sandbox whose jobs run in `runtime`, in processes that `launcher` starts.
    #[must_use]
    pub fn new(launcher: Launcher, runtime: GuestRuntime) -> Self {
        Self { launcher, runtime: Some(runtime) }
    }

    /// A sandbox whose jobs are WebAssembly programs themselves: their entry point is a command of preview 1
    /// or a component of preview 2. They start in a folder with `code/` and `outputs/`.
    #[must_use]
    pub fn without_runtime(launcher: Launcher) -> Self {
        Self { launcher, runtime: None }
    }

    /// The runtimes that a job may meet here.
    pub fn runtimes(&self) -> impl Iterator<Item = &GuestRuntime> {
        let runtime = self.runtime.as_ref();
        runtime.into_iter().chain(runtime.and_then(|runtime| runtime.python3.as_deref()))
    }

    /// What compiles the guests, and a text that differs between versions of it, settings and machines.
    #[must_use]
    pub fn compiler(&self, deterministic: bool) -> String {
        // Where wasmtime can't work, nothing was compiled.
        engine::engine(Build::of(deterministic)).map_or_else(
            |_| "none".to_owned(),
            |engine| format!("wasmtime {}", engine::compatibility(&engine)),
        )
    }

    /// Runs a job to its end, blocking this thread. Its lines come to `on_log` as they are written.
    ///
    /// # Errors
    /// When the job can't be started, or its logs or outputs can't be kept. However badly the job
    /// itself ends, that is an [`Outcome`].
    pub fn run(
        &self,
        spec: &JobSpec,
        cancel: &Cancel,
        on_log: &mut dyn FnMut(LogLine),
    ) -> Result<Outcome, SandboxError> {
        let before = check(spec)?;
        let scratch = Scratch::new(&spec.scratch)
            .map_err(|source| SandboxError::Scratch { path: spec.scratch.clone(), source })?;
        let assignment = self
            .prepare(spec, &scratch)
            .map_err(|source| SandboxError::Scratch { path: spec.scratch.clone(), source })?;
        let mut record = Record::create(&spec.stdout, &spec.stderr, spec.limits.log_bytes_per_stream)?;

        let started = Instant::now();
        let child = self.launcher.start(&assignment).map_err(|source| SandboxError::Start {
            program: self.launcher.program().to_path_buf(),
            source,
        })?;
        let seen =
            watch::watch(child, self.runtime.is_none(), spec.limits, started, cancel, &mut record, on_log)?;
        let wall_time = started.elapsed();
        record.finish(on_log);

        let mut verdict = seen.verdict(spec.limits, spec.deterministic);
        if check(spec).ok().as_ref() != Some(&before) {
            let why = "the job's code or a dataset changed while it ran; run it again";
            verdict = Verdict::new(Ending::Broken(why.to_owned()), why);
        }
        let collected = match verdict.ending {
            Ending::OutputTooLarge => Collected::default(),
            _ => keep_outputs(&scratch.outputs(), spec, &mut verdict)?,
        };
        if !verdict.ending.is_finished() {
            record.reason(&verdict.reason)?;
        }
        Ok(Outcome {
            ending: verdict.ending,
            reason: verdict.reason,
            exceeded: verdict.exceeded,
            wall_time,
            peak_memory: seen.report.as_ref().map(|report| report.peak_memory),
            instructions: seen.report.as_ref().and_then(|report| report.instructions),
            output_files: collected.files,
            output_bytes: collected.bytes,
        })
    }

    /// Everything that the guest sees.
    fn prepare(&self, spec: &JobSpec, scratch: &Scratch) -> io::Result<Assignment> {
        let runtime = self.runtime.as_ref();
        let python = runtime.and_then(|runtime| runtime.python3.as_deref());
        let mut mounts = vec![
            Mount::read_only(&scratch.packages(), PACKAGES),
            Mount::read_only(&spec.code, WORKING_DIRECTORY),
        ];
        for runtime in self.runtimes() {
            write_packages(runtime, &scratch.packages())?;
            mounts.extend(runtime.mounts.iter().map(|(host, guest)| Mount::read_only(host, guest)));
        }
        for dataset in &spec.datasets {
            mounts.extend(dataset.folders().map(|(host, guest)| Mount::read_only(host, &guest)));
        }
        let wheels: Vec<_> = (0..spec.packages.len()).map(|number| format!("{WHEELS}/{number}")).collect();
        mounts.extend(spec.packages.iter().zip(&wheels).map(|(host, guest)| Mount::read_only(host, guest)));
        let mut counted = vec![scratch.outputs(), scratch.tmp()];
        for folder in [WORKING_DIRECTORY, JOB_FOLDER] {
            mounts.push(Mount::writable(&scratch.outputs(), &format!("{folder}/{OUTPUTS}")));
        }
        if runtime.is_none() {
            // WASI knows no working directory: relative paths begin at the root.
            mounts.push(Mount::read_only(&spec.code, &format!("/{CODE}")));
            mounts.push(Mount::writable(&scratch.outputs(), &format!("/{OUTPUTS}")));
        }
        mounts.push(Mount::writable(&scratch.tmp(), "/tmp"));
        // Empty folders at the places of the mounts, so that listing their parents shows them.
        for mount in &mounts {
            fs::create_dir_all(scratch.root().join(mount.guest.trim_start_matches('/')))?;
        }
        if runtime.is_some_and(|runtime| runtime.calling == Calling::Bash) {
            for shown in [CODE, OUTPUTS] {
                fs::create_dir(scratch.work().join(shown))?;
            }
            mounts.push(Mount::writable(&scratch.work(), JOB_FOLDER));
            counted.push(scratch.work());
        }
        mounts.push(Mount::read_only(&scratch.root(), "/"));

        let mut program = match runtime {
            Some(runtime) => runtime.program_for(&spec.entrypoint, spec.limits.memory),
            None => Program {
                code: Code::Wasm(spec.code.join(spec.entrypoint.as_str())),
                arguments: vec![spec.entrypoint.to_string()],
                environment: [("HOME", "/tmp"), ("TMPDIR", "/tmp")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                number: 0,
            },
        };
        program.arguments.extend(spec.arguments.iter().cloned());
        program.environment.extend([
            ("SYFT_IS_IN_JOB".to_owned(), "true".to_owned()),
            ("SYFTBOX_EMAIL".to_owned(), spec.owner.to_string()),
            ("SYFTBOX_FOLDER".to_owned(), SYFTBOX_FOLDER.to_owned()),
        ]);
        if !wheels.is_empty() {
            program.environment.push(("PYTHONPATH".to_owned(), wheels.join(":")));
        }
        Ok(Assignment {
            program,
            python: python.map(|python| python.program(spec.limits.memory)),
            mounts,
            counted,
            deterministic: spec.deterministic,
            limits: GuestLimits {
                time: spec.limits.time,
                memory: spec.limits.memory,
                instructions: spec.limits.instructions,
                output_bytes: spec.limits.output_bytes,
                output_files: spec.limits.output_files,
                open_files: spec.limits.open_files,
                processes: spec.limits.processes,
                wasm_bytes: spec.limits.wasm_bytes,
                compile_memory: spec.limits.compile_memory,
            },
        })
    }
}

fn write_packages(runtime: &GuestRuntime, into: &Path) -> io::Result<()> {
    for (path, content) in runtime.packages {
        let file = into.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, content)?;
    }
    Ok(())
}

/// Looks at what the job may only read: that it is there, and how it is.
fn check(spec: &JobSpec) -> Result<Vec<Witness>, SandboxError> {
    let no_entrypoint = |source| SandboxError::Entrypoint {
        entrypoint: spec.entrypoint.to_string(),
        code: spec.code.clone(),
        source,
    };
    let script = fs::symlink_metadata(spec.code.join(spec.entrypoint.as_str())).map_err(no_entrypoint)?;
    if !script.is_file() {
        return Err(no_entrypoint(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")));
    }
    let mut seen = vec![Witness::of(&spec.code).map_err(no_entrypoint)?];
    for dataset in &spec.datasets {
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if dataset.name.is_empty() || !dataset.name.chars().all(plain) {
            return Err(SandboxError::DatasetName { name: dataset.name.clone() });
        }
        for (host, _) in dataset.folders() {
            let unreadable =
                |source| SandboxError::Dataset { name: dataset.name.clone(), path: host.clone(), source };
            seen.push(Witness::of(host).map_err(unreadable)?);
        }
    }
    Ok(seen)
}

fn keep_outputs(from: &Path, spec: &JobSpec, verdict: &mut Verdict) -> Result<Collected, SandboxError> {
    let usage = match tree::usage(from) {
        Ok(usage) => usage,
        Err(why @ Uncountable::TooDeep) => {
            *verdict = Verdict::new(Ending::OutputTooLarge, &why.to_string());
            return Ok(Collected::default());
        }
        Err(Uncountable::Unreadable(source)) => {
            return Err(SandboxError::Keep { path: from.to_path_buf(), source });
        }
    };
    let limits = &spec.limits;
    for (limit, asked, allowed) in [
        (Limit::OutputBytes, usage.bytes, limits.output_bytes),
        (Limit::OutputFiles, usage.files, limits.output_files),
    ] {
        if asked > allowed {
            *verdict = Verdict::past(Exceeded { limit, asked: Some(asked), allowed, at: None });
            return Ok(Collected::default());
        }
    }
    fs::create_dir_all(&spec.outputs)
        .map_err(|source| SandboxError::Keep { path: spec.outputs.clone(), source })?;
    let collected = collect::collect(from, &spec.outputs, spec.withheld)?;
    if collected.refused > 0 {
        tracing::warn!(refused = collected.refused, "outputs that no peer could take were left out");
    }
    Ok(collected)
}
