//! Makes the npm package of `syftbox-web`: one wasm, its JavaScript and types, and what Node needs.
//!
//! Its own crate because wasm-bindgen's tool is long to build, and few commands need it.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use wasm_bindgen_cli_support::{Bindgen, EncodeInto};

/// The files that are the same in every package.
const FIXED_FILES: [(&str, &str); 2] = [
    ("node.js", include_str!("../../npm/node.js")),
    ("package.json", include_str!("../../npm/package.json")),
];

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Cargo isn't there.
    #[error("cargo could not be started: {0}. Put it on the PATH.")]
    NoCargo(io::Error),
    /// The wasm did not build.
    #[error(
        "syftbox-web did not build; its messages are above. When the target is missing, run: rustup target add wasm32-unknown-unknown"
    )]
    NotBuilt,
    /// wasm-bindgen could not make JavaScript for it.
    #[error("wasm-bindgen failed on {}: {cause}", wasm.display())]
    Bindgen {
        /// The wasm.
        wasm: PathBuf,
        /// What it said.
        cause: String,
    },
    /// A file could not be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// How much the compiler is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Ready soon, for tests.
    Quick,
    /// Small, for people.
    Small,
}

/// Builds `syftbox-web` and writes the package into `folder`, which is made when it isn't there.
///
/// # Errors
/// See [`PackError`].
pub fn build(folder: &Path, profile: Profile) -> Result<(), PackError> {
    let wasm = compile(profile)?;
    let bindgen_failed =
        |error: &dyn ToString| PackError::Bindgen { wasm: wasm.clone(), cause: error.to_string() };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(&wasm).out_name("syftbox_web").typescript(true);
    bindgen.remove_name_section(true).remove_producers_section(true).encode_into(EncodeInto::Always);
    let bindgen = bindgen.web(true).map_err(|error| bindgen_failed(&error))?;
    let in_folder = |name: &str| folder.join(name);
    fs::create_dir_all(folder).map_err(|source| PackError::File { path: folder.to_owned(), source })?;
    bindgen.generate(folder).map_err(|error| bindgen_failed(&error))?;
    for (name, content) in FIXED_FILES {
        let path = in_folder(name);
        fs::write(&path, content).map_err(|source| PackError::File { path, source })?;
    }
    Ok(())
}

/// Compiles the crate, and says where its wasm is.
fn compile(profile: Profile) -> Result<PathBuf, PackError> {
    let profile = match profile {
        Profile::Quick => "dev",
        Profile::Small => "web",
    };
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--package", "syftbox-web", "--lib", "--target", "wasm32-unknown-unknown"])
        .args(["--profile", profile, "--message-format", "json-render-diagnostics"])
        // The workspace, wherever this is called from.
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(PackError::NoCargo)?;
    if !output.status.success() {
        return Err(PackError::NotBuilt);
    }
    // Each line is a message; those of the artifacts name their files.
    let wasm = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| {
            let files = message.get("filenames")?.as_array()?.iter().filter_map(|file| file.as_str());
            files.map(PathBuf::from).find(|file| file.ends_with("syftbox_web.wasm"))
        })
        .next_back();
    wasm.ok_or(PackError::NotBuilt)
}
