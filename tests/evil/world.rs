//! What is around a job on its owner's machine, and whether it is afterwards as it was.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    net::TcpListener,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use syftbox_core::permissions::PERMISSION_FILE;
use syftbox_runner::sandbox::{DatasetMount, JobSpec};
use tempfile::TempDir;

use crate::{
    guest::{Beside, Guest},
    program,
};

const OWNER: &str = "do@test.org";
const JOB: &str = "SyftBox/do@test.org/app_data/job/inbox/ds@test.org/v1/evil";
const REVIEW: &str = "SyftBox/do@test.org/app_data/job/review/ds@test.org/v1/evil";
const SCRATCH: &str = "SyftBox/.syftbox/running";

/// Begins everything that no job may see.
pub(crate) const SECRET: &str = "TOP-SECRET";
/// What a guest says when it got what it wanted.
pub(crate) const SUCCESS: &str = "GOTCHA";

/// A `SyftBox` folder with a token beside it, a dataset for the job, one for others, and another job.
pub(crate) struct World {
    folder: TempDir,
    before: BTreeMap<PathBuf, Thing>,
    environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    listener: TcpListener,
    pub(crate) spec: JobSpec,
}

/// A file, a folder or a link, as it is.
#[derive(Debug, PartialEq, Eq)]
struct Thing {
    mode: u32,
    links: u64,
    modified: (i64, i64),
    content: Vec<u8>,
}

impl World {
    /// A world with the guest as its job, not started.
    pub(crate) fn with(guest: &Guest) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for (path, content) in [
            ("SyftBox/do@test.org/public/syft_datasets/census/data.csv", "mock\n"),
            ("SyftBox/do@test.org/private/syft_datasets/census/data.csv", "private\n"),
            ("SyftBox/do@test.org/private/syft_datasets/other/data.csv", SECRET),
            ("SyftBox/do@test.org/app_data/job/inbox/eve@test.org/v1/theirs/code/main.py", SECRET),
            ("SyftBox/do@test.org/app_data/job/review/eve@test.org/v1/theirs/outputs/r.csv", SECRET),
            ("SyftBox/.syftbox/account.json", SECRET),
            ("token.json", SECRET),
        ] {
            fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            fs::write(at(path), content).unwrap();
        }
        fs::set_permissions(at("token.json"), fs::Permissions::from_mode(0o600)).unwrap();
        let code = at(JOB).join("code");
        fs::create_dir_all(&code).unwrap();
        let entrypoint = program::write(guest, &code);
        for (name, content) in
            [("attempts.py", include_str!("attempts.py")), ("attempts.sh", include_str!("attempts.sh"))]
        {
            if guest.name.ends_with(&name[8..]) {
                fs::write(code.join(name), content).unwrap();
            }
        }
        if let Some(size) = guest.pad {
            fs::File::options().write(true).open(code.join(&entrypoint)).unwrap().set_len(size).unwrap();
        }
        let world = |target: &str| target.replace("WORLD", folder.path().to_str().unwrap());
        for beside in &guest.with {
            match beside {
                Beside::File(name, content) => fs::write(code.join(name), content).unwrap(),
                Beside::Symlink(name, target) => {
                    let _ = fs::remove_file(code.join(name));
                    symlink(world(target), code.join(name)).unwrap();
                }
                Beside::HardLink(name, target) => fs::hard_link(world(target), code.join(name)).unwrap(),
            }
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let datasets = format!("SyftBox/{OWNER}");
        let spec = JobSpec {
            code,
            entrypoint: entrypoint.parse().unwrap(),
            arguments: vec![folder.path().display().to_string(), port.to_string()],
            owner: OWNER.parse().unwrap(),
            datasets: vec![DatasetMount {
                name: "census".to_owned(),
                owner: OWNER.parse().unwrap(),
                mock: Some(at(&datasets).join("public/syft_datasets/census")),
                private: Some(at(&datasets).join("private/syft_datasets/census")),
            }],
            outputs: at(REVIEW).join("outputs"),
            packages: Vec::new(),
            withheld: &[PERMISSION_FILE],
            stdout: at(REVIEW).join("stdout.txt"),
            stderr: at(REVIEW).join("stderr.txt"),
            scratch: at(SCRATCH),
            limits: guest.limits,
            deterministic: false,
        };
        let mut world = Self {
            before: BTreeMap::new(),
            environment: std::env::vars_os().collect(),
            listener,
            spec,
            folder,
        };
        world.before = world.look();
        world
    }

    /// What the job said, on both streams.
    pub(crate) fn logs(&self) -> Vec<u8> {
        let mut logs = fs::read(&self.spec.stdout).unwrap_or_default();
        logs.extend(fs::read(&self.spec.stderr).unwrap_or_default());
        logs
    }

    /// The outputs that were collected, and what is in them.
    pub(crate) fn outputs(&self) -> BTreeMap<String, Vec<u8>> {
        let root = &self.spec.outputs;
        let mut found = BTreeMap::new();
        if root.exists() {
            walk(root, &mut |path, metadata| {
                if !metadata.is_dir() {
                    let name = path.strip_prefix(root).unwrap().display().to_string();
                    found.insert(name, fs::read(path).unwrap_or_default());
                }
            });
        }
        found
    }

    /// What isn't as it was before the job, in words.
    pub(crate) fn damage(&self) -> Vec<String> {
        let mut damage = Vec::new();
        let after = self.look();
        for path in self.before.keys().chain(after.keys()) {
            if self.before.get(path) != after.get(path) {
                damage.push(format!("{} isn't as it was", path.display()));
            }
        }
        damage.dedup();
        if self.listener.accept().is_ok() {
            damage.push("the network was reached".to_owned());
        }
        if self.environment != std::env::vars_os().collect::<Vec<_>>() {
            damage.push("the environment changed".to_owned());
        }
        let left: Vec<_> = self.spec.scratch.read_dir().into_iter().flatten().flatten().collect();
        if left.iter().any(|entry| entry.file_name() != "lock") {
            damage.push("the job's private files are still there".to_owned());
        }
        damage
            .extend(self.processes().into_iter().map(|process| format!("process {process} is still there")));
        damage
    }

    /// The processes, but for this one, that have files of this world open.
    fn processes(&self) -> Vec<String> {
        let me = std::process::id().to_string();
        let holds = |process: &Path| {
            let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
            let mut files = open.filter_map(|fd| fs::read_link(fd.path()).ok());
            files.any(|file| file.starts_with(self.folder.path()))
        };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let names = processes.filter(|process| holds(&process.path()));
        let names = names.filter_map(|process| process.file_name().into_string().ok());
        names.filter(|name| *name != me && name.parse::<u32>().is_ok()).collect()
    }

    /// Everything but what a job is there to change.
    fn look(&self) -> BTreeMap<PathBuf, Thing> {
        let mut seen = BTreeMap::new();
        let root = self.folder.path();
        walk(root, &mut |path, metadata| {
            let path = path.strip_prefix(root).unwrap();
            let is_the_jobs = path.starts_with(REVIEW) || path.starts_with(SCRATCH);
            // Folders that get a new one in them for the job's results have another time then.
            let is_above = Path::new(REVIEW).starts_with(path) || Path::new(SCRATCH).starts_with(path);
            if !is_the_jobs && !is_above {
                seen.insert(path.to_owned(), Thing::of(&root.join(path), metadata));
            }
        });
        seen
    }
}

impl Thing {
    fn of(path: &Path, metadata: &fs::Metadata) -> Self {
        let mut content = Vec::new();
        if metadata.is_symlink() {
            content = fs::read_link(path).unwrap().into_os_string().into_encoded_bytes();
        } else if metadata.is_file() {
            // A sparse file is too long to be read whole.
            let mut hasher = Sha256::new();
            let mut start = Vec::new();
            fs::File::open(path).unwrap().take(64 << 20).read_to_end(&mut start).unwrap();
            hasher.update(&start);
            hasher.update(metadata.len().to_le_bytes());
            content = hasher.finalize().to_vec();
        }
        Self {
            mode: metadata.mode(),
            links: metadata.nlink(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            content,
        }
    }
}

/// Visits all below a folder, following no links.
fn walk(root: &Path, visit: &mut dyn FnMut(&Path, &fs::Metadata)) {
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let metadata = entry.metadata().unwrap();
            visit(&entry.path(), &metadata);
            if metadata.is_dir() {
                folders.push(entry.path());
            }
        }
    }
}
