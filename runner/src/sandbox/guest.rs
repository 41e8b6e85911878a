//! A language runtime as the sandbox sees it: a compiled module and what it needs around it.

use std::path::PathBuf;

/// Where the guest finds the packages that come with the sandbox.
pub const PACKAGES: &str = "/usr/local/share/syftbox";

/// A language runtime, ready to run scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestRuntime {
    /// The file that the sandbox's engine compiled. It is native code: only this user may be able to
    /// write it.
    pub module: PathBuf,
    /// Host folders that the runtime needs, with their guest paths; read-only.
    pub mounts: Vec<(PathBuf, String)>,
    /// Environment variables that the runtime needs.
    pub environment: Vec<(String, String)>,
    /// The arguments that stand before the script's name, the program's name included.
    pub arguments: Vec<String>,
    /// Files that appear below [`PACKAGES`], by relative path.
    pub packages: &'static [(&'static str, &'static str)],
}
