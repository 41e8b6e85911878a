//! Which file of a folder Python runs.

/// Why a folder has no entry point of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntrypointError {
    /// No Python file at the folder's root.
    #[error("the folder has no Python file at its root; name the file to run with --entrypoint")]
    NoPython,
    /// Several, and none is `main.py`.
    #[error(
        "the folder has {0} Python files at its root and none is main.py; name the file to run with --entrypoint"
    )]
    Several(usize),
}

/// The file that Python runs, of the names of the files at a folder's root: `main.py`, else the
/// only `*.py`.
///
/// # Errors
/// When there is none, or several without a `main.py`.
pub fn detect_entrypoint<'a>(files: impl IntoIterator<Item = &'a str>) -> Result<&'a str, EntrypointError> {
    // A name that is nothing but `.py` is a hidden file without extension.
    let python: Vec<&str> = files
        .into_iter()
        .filter(|name| name.strip_suffix(".py").is_some_and(|stem| !stem.is_empty()))
        .collect();
    match python.as_slice() {
        [only] => Ok(only),
        several if several.contains(&"main.py") => Ok("main.py"),
        [] => Err(EntrypointError::NoPython),
        several => Err(EntrypointError::Several(several.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_py_else_the_only_one() {
        assert_eq!(detect_entrypoint(["b.py", "main.py", "a.py"]), Ok("main.py"));
        assert_eq!(detect_entrypoint(["data.csv", "job.py", ".py", "py"]), Ok("job.py"));
        assert_eq!(detect_entrypoint(["data.csv", ".py"]), Err(EntrypointError::NoPython));
        assert_eq!(detect_entrypoint([]), Err(EntrypointError::NoPython));
        let error = detect_entrypoint(["a.py", "b.py"]).unwrap_err();
        assert_eq!(error, EntrypointError::Several(2));
        assert!(error.to_string().contains("--entrypoint"));
    }
}
