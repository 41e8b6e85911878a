//! Jobs of the bench.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use syftbox_runner::{
    runtime::{RuntimeStore, TerminalProgress, default_cache_dir},
    sandbox::{Cancel, DatasetMount, JobSpec, Launcher, Limits, Outcome, Sandbox},
};
use tempfile::TempDir;

const OWNER: &str = "do@bench.org";
/// Rows of about 26 bytes.
const BIG_BYTES: u64 = 1_000_000_000;

/// The sandboxes and a folder for jobs.
pub(crate) struct Bench {
    folder: TempDir,
    sandboxes: BTreeMap<&'static str, Sandbox>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let program = env::var_os("SYFTBOX_BIN").map(PathBuf::from).unwrap();
        let launcher = || Launcher::of(&program);
        let store = RuntimeStore::open(&default_cache_dir().unwrap());
        let mut sandboxes = BTreeMap::from([("none", Sandbox::without_runtime(launcher()))]);
        for name in ["python", "bash"] {
            let runtime = store.ensure(name, &TerminalProgress::default()).unwrap();
            sandboxes.insert(name, Sandbox::new(launcher(), runtime.guest()));
            if name == "python" {
                let bare = launcher().without_kernel_layers();
                sandboxes.insert("bare python", Sandbox::new(bare, runtime.guest()));
            }
        }
        Self { folder: tempfile::tempdir().unwrap(), sandboxes }
    }

    /// Runs a job of these files.
    pub(crate) fn run(&self, runtime: &str, entrypoint: &str, files: &[(&str, String)]) -> Outcome {
        let job = tempfile::tempdir_in(self.folder.path()).unwrap();
        let code = job.path().join("code");
        fs::create_dir(&code).unwrap();
        for (name, content) in files {
            fs::write(code.join(name), content).unwrap();
        }
        self.play(runtime, &job, entrypoint, Vec::new()).0
    }

    /// Runs the example, a program that wants the dataset `numbers`.
    pub(crate) fn run_example(&self, program: &Path) -> Outcome {
        let job = tempfile::tempdir_in(self.folder.path()).unwrap();
        fs::create_dir(job.path().join("code")).unwrap();
        fs::copy(program, job.path().join("code/program.wasm")).unwrap();
        let numbers = job.path().join("numbers");
        fs::create_dir(&numbers).unwrap();
        fs::write(numbers.join("a.txt"), "1\n2\n6\n").unwrap();
        self.play("none", &job, "program.wasm", vec![dataset("numbers", &numbers)]).0
    }

    /// Runs a script with the dataset `big`.
    pub(crate) fn run_with_dataset(&self, script: &str, private: &Path) -> Outcome {
        let job = tempfile::tempdir_in(self.folder.path()).unwrap();
        fs::create_dir(job.path().join("code")).unwrap();
        fs::write(job.path().join("code/main.py"), script).unwrap();
        self.play("python", &job, "main.py", vec![dataset("big", private)]).0
    }

    /// The time that a script prints.
    pub(crate) fn seconds(&self, files: &[(&str, String)]) -> Duration {
        let job = tempfile::tempdir_in(self.folder.path()).unwrap();
        fs::create_dir(job.path().join("code")).unwrap();
        for (name, content) in files {
            fs::write(job.path().join("code").join(name), content).unwrap();
        }
        let (_, said) = self.play("python", &job, "main.py", Vec::new());
        Duration::from_secs_f64(said.trim().parse().unwrap())
    }

    fn play(
        &self,
        runtime: &str,
        job: &TempDir,
        entrypoint: &str,
        datasets: Vec<DatasetMount>,
    ) -> (Outcome, String) {
        let at = |name: &str| job.path().join(name);
        let spec = JobSpec {
            withheld: &[],
            code: at("code"),
            entrypoint: entrypoint.parse().unwrap(),
            arguments: Vec::new(),
            owner: OWNER.parse().unwrap(),
            datasets,
            packages: Vec::new(),
            outputs: at("outputs"),
            stdout: at("stdout.txt"),
            stderr: at("stderr.txt"),
            scratch: at("scratch"),
            limits: Limits::default(),
            deterministic: false,
        };
        let outcome = self.sandboxes[runtime].run(&spec, &Cancel::default(), &mut |_| {}).unwrap();
        let said = fs::read_to_string(at("stdout.txt")).unwrap();
        assert!(
            outcome.ending.is_finished(),
            "{}: {}",
            outcome.reason,
            fs::read_to_string(at("stderr.txt")).unwrap()
        );
        (outcome, said)
    }

    /// The example program as a component.
    pub(crate) fn component(&self) -> PathBuf {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/wasm");
        let target = self.folder.path().join("example");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--release", "--quiet", "--target", "wasm32-wasip2", "--target-dir"])
            .arg(&target)
            .current_dir(example)
            .status()
            .unwrap();
        assert!(built.success());
        let folder = target.join("wasm32-wasip2/release");
        let mut files = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
        files.find(|path| path.extension().is_some_and(|extension| extension == "wasm")).unwrap()
    }

    /// A folder with a CSV of 1 GB.
    pub(crate) fn big_csv(&self) -> PathBuf {
        let folder = self.folder.path().join("big");
        fs::create_dir(&folder).unwrap();
        let mut file = BufWriter::new(fs::File::create(folder.join("big.csv")).unwrap());
        let header = "id,region,age,income\n";
        file.write_all(header.as_bytes()).unwrap();
        let (mut written, mut number) = (header.len() as u64, 0_u64);
        while written < BIG_BYTES {
            let age = 20 + number * 7919 % 61;
            let row = format!("{number},region{},{age},{}\n", number % 16, 1000 + 25 * age);
            file.write_all(row.as_bytes()).unwrap();
            written += row.len() as u64;
            number += 1;
        }
        file.flush().unwrap();
        folder
    }
}

fn dataset(name: &str, private: &Path) -> DatasetMount {
    let owner = OWNER.parse().unwrap();
    DatasetMount { name: name.to_owned(), owner, mock: None, private: Some(private.to_owned()) }
}
