//! `run.sh` of a Python job: how a Python data owner would run it. We write it and never run one.

use std::borrow::Cow;

use super::{JobConfig, JobKind};

const PYTHON_VERSION: &str = "3.12";

/// The `run.sh` of a Python job, the same in both generations; `None` for bash, where it is the
/// script itself.
///
/// `has_pyproject` says whether `code/pyproject.toml` is there: its dependencies come first then.
#[must_use]
pub fn run_sh(config: &JobConfig, has_pyproject: bool) -> Option<String> {
    let entrypoint = match (config.kind, &config.entrypoint) {
        (JobKind::Python, Some(entrypoint)) => entrypoint.as_str(),
        _ => return None,
    };
    let sync = if has_pyproject { format!("uv sync --python {PYTHON_VERSION}\n") } else { String::new() };
    let dependencies: Vec<String> =
        config.dependencies.iter().map(|dependency| format!("\"{}\"", escaped(dependency))).collect();
    Some(format!(
        "#!/bin/bash\n\
         set -euo pipefail\n\
         export UV_SYSTEM_PYTHON=false\n\
         cd code\n\
         uv venv --python {PYTHON_VERSION}\n\
         source .venv/bin/activate\n\
         {sync}uv pip install {}\n\
         export PYTHONPATH=.:${{PYTHONPATH:-}}\n\
         python {}\n",
        dependencies.join(" "),
        word(entrypoint),
    ))
}

/// The `run.sh` of a WebAssembly job, for owners whose program doesn't know such jobs: it says so and fails.
#[must_use]
pub fn wasm_run_sh() -> &'static str {
    "#!/bin/bash\n\
     # code/program.wasm is the job: a WebAssembly program, for wasm32-wasip1 or wasm32-wasip2.\n\
     echo 'This job is a WebAssembly program, which only the Rust version of SyftBox runs.' >&2\n\
     exit 1\n"
}

/// `text` as bash reads it between double quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '"' | '$' | '`' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// `text` as one word of bash; quoted only when it has to be, as the Python peers never do.
fn word(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    if text.bytes().all(plain) && !text.starts_with('-') {
        Cow::Borrowed(text)
    } else {
        // `./` keeps a leading dash from being an option.
        Cow::Owned(format!("\"./{}\"", escaped(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Generation, Timestamp};

    fn script(entrypoint: &str, dependency: &str, has_pyproject: bool) -> String {
        let config = JobConfig::python(
            Generation::V0_10,
            "x".to_owned(),
            entrypoint.parse().unwrap(),
            "syft==0.10.0".to_owned(),
            vec![dependency.to_owned()],
            Timestamp::EPOCH,
        );
        run_sh(&config, has_pyproject).unwrap()
    }

    #[test]
    fn a_project_is_synced_first() {
        let with = script("main.py", "pandas", true);
        assert!(
            with.contains("\nuv sync --python 3.12\nuv pip install \"syft==0.10.0\" \"pandas\"\n"),
            "{with}"
        );
    }

    #[test]
    fn nothing_leaves_its_word() {
        let script = script("a b$(x).py", "\"; rm -rf ~; `x` $HOME \\", false);
        assert!(script.ends_with("\npython \"./a b\\$(x).py\"\n"), "{script}");
        assert!(script.contains(" \"\\\"; rm -rf ~; \\`x\\` \\$HOME \\\\\"\n"), "{script}");
    }

    #[test]
    fn bash_jobs_are_their_script() {
        let config = JobConfig::bash(Generation::V0_1, "x".to_owned(), Timestamp::EPOCH);
        assert_eq!(run_sh(&config, false), None);
    }
}
