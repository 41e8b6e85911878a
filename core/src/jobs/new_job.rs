//! What a scientist can submit.

use bytes::Bytes;

use crate::{
    datasets::{Source, SourceFile},
    domain::DatasitePath,
    manager::ManagerError,
    wire::job::{JobName, detect_entrypoint},
};

/// A Python job to submit.
pub struct NewPythonJob {
    pub(super) code: Source,
    pub(super) entrypoint: Option<String>,
    pub(super) dependencies: Vec<String>,
    pub(super) common: Common,
}

/// A bash job to submit.
pub struct NewBashJob {
    pub(super) script: BashScript,
    pub(super) common: Common,
}

/// A WebAssembly job to submit: a command of preview 1 or a component of preview 2.
pub struct NewWasmJob {
    pub(super) program: Source,
    pub(super) common: Common,
}

/// What a bash job runs.
pub enum BashScript {
    /// The script itself.
    Text(String),
    /// The file that it is in.
    File(Source),
}

/// What can be said of any job.
#[derive(Default)]
pub(super) struct Common {
    pub(super) name: Option<JobName>,
    pub(super) skip_version_check: bool,
}

impl NewPythonJob {
    /// A job of one script, or of the folder that it is in.
    #[must_use]
    pub fn new(code: Source) -> Self {
        Self { code, entrypoint: None, dependencies: Vec::new(), common: Common::default() }
    }

    /// What to call it; `Job - ` and 8 hex digits without this.
    #[must_use]
    pub fn name(mut self, name: impl Into<Option<JobName>>) -> Self {
        self.common.name = name.into();
        self
    }

    /// The file to run, relative to the folder; without this `main.py`, or the only Python file.
    #[must_use]
    pub fn entrypoint(mut self, file: impl Into<Option<String>>) -> Self {
        self.entrypoint = file.into();
        self
    }

    /// Python packages that it needs.
    #[must_use]
    pub fn dependencies(mut self, packages: Vec<String>) -> Self {
        self.dependencies = packages;
        self
    }

    /// Submit it even when the owner's version is another than ours, or unknown. Not by default.
    #[must_use]
    pub fn skip_version_check(mut self, skip: bool) -> Self {
        self.common.skip_version_check = skip;
        self
    }
}

impl NewBashJob {
    /// A job of one script.
    #[must_use]
    pub fn new(script: BashScript) -> Self {
        Self { script, common: Common::default() }
    }

    /// What to call it; `Job - ` and 8 hex digits without this.
    #[must_use]
    pub fn name(mut self, name: impl Into<Option<JobName>>) -> Self {
        self.common.name = name.into();
        self
    }

    /// Submit it even when the owner's version is another than ours, or unknown. Not by default.
    #[must_use]
    pub fn skip_version_check(mut self, skip: bool) -> Self {
        self.common.skip_version_check = skip;
        self
    }
}

impl NewWasmJob {
    /// A job of one file.
    #[must_use]
    pub fn new(program: Source) -> Self {
        Self { program, common: Common::default() }
    }

    /// What to call it; `Job - ` and 8 hex digits without this.
    #[must_use]
    pub fn name(mut self, name: impl Into<Option<JobName>>) -> Self {
        self.common.name = name.into();
        self
    }

    /// Submit it even when the owner's version is another than ours, or unknown. Not by default.
    #[must_use]
    pub fn skip_version_check(mut self, skip: bool) -> Self {
        self.common.skip_version_check = skip;
        self
    }

    /// The program's bytes.
    pub(super) async fn read(&self, max_bytes: u64) -> Result<Bytes, ManagerError> {
        let content = read_file(&self.program, max_bytes).await?;
        if !content.starts_with(b"\0asm") {
            return Err(self.program.bad(
                "it is no WebAssembly; build the program for wasm32-wasip1 or wasm32-wasip2, without compiling it \
                 any further",
            ));
        }
        Ok(content)
    }
}

/// The bytes of a source that is one file.
async fn read_file(source: &Source, max_bytes: u64) -> Result<Bytes, ManagerError> {
    if source.is_folder() {
        return Err(source.bad("it is a folder; name the file in it"));
    }
    let file = source.list(|_| false).await?.into_iter().next();
    let file = file.ok_or_else(|| source.bad("there is no such file; check the path"))?;
    check_size(file.len, max_bytes).map_err(|why| source.bad(why))?;
    Ok(source.files.read(&file.path, max_bytes).await?)
}

impl BashScript {
    /// The script's bytes, as they are.
    pub(super) async fn read(&self, max_bytes: u64) -> Result<Bytes, ManagerError> {
        let content = match self {
            Self::Text(text) => Bytes::from(text.clone()),
            Self::File(source) => read_file(source, max_bytes).await?,
        };
        check_size(content.len() as u64, max_bytes).map_err(ManagerError::BadSubmission)?;
        if content.iter().all(u8::is_ascii_whitespace) {
            return Err(ManagerError::BadSubmission(
                "the script is empty; write what is to be done".to_owned(),
            ));
        }
        Ok(content)
    }
}

/// Whether code of `len` bytes may be submitted.
pub(super) fn check_size(len: u64, max_bytes: u64) -> Result<(), String> {
    if len <= max_bytes {
        return Ok(());
    }
    Err(format!("it has {len} bytes, and at most {max_bytes} can be submitted; leave data out of it"))
}

/// The file to run, checked against the files that there are.
pub(super) fn entrypoint(new: &NewPythonJob, code: &[SourceFile]) -> Result<DatasitePath, ManagerError> {
    let bad = |why: String| ManagerError::BadSubmission(why);
    if let Some(named) = &new.entrypoint {
        let found = code.iter().find(|file| file.name.as_str() == named);
        return found.map(|file| file.name.clone()).ok_or_else(|| {
            bad(format!("the entry point {named:?} is not among its files; name one with --entrypoint"))
        });
    }
    let at_root = code.iter().map(|file| file.name.as_str()).filter(|name| !name.contains('/'));
    let names: Vec<&str> = if new.code.is_folder() {
        at_root.collect()
    } else {
        let is_python = |name: &&str| name.rsplit_once('.').is_some_and(|(_, extension)| extension == "py");
        let python: Vec<_> = at_root.filter(is_python).collect();
        if python.is_empty() {
            return Err(bad(format!("{} is no Python file; its name has to end in .py", new.code.shown)));
        }
        python
    };
    let found = detect_entrypoint(names).map_err(|error| bad(error.to_string()))?;
    Ok(found.parse()?)
}

/// The last name of a path, however it is written: the scientist's own path stays at home.
pub(super) fn bare_name(path: &str) -> String {
    path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_script_is_taken_as_it_is_and_has_to_be_there() {
        let read = async |text: &str, max| BashScript::Text(text.to_owned()).read(max).await;
        assert_eq!(read("echo é\r\n", 100).await.unwrap(), "echo é\r\n");
        for empty in ["", " \n\t\n"] {
            let error = read(empty, 100).await.unwrap_err().to_string();
            assert!(error.contains("empty"), "{error}");
        }
        let error = read("echo 1", 5).await.unwrap_err().to_string();
        assert!(error.contains("6 bytes") && error.contains("at most 5"), "{error}");
    }

    #[test]
    fn a_path_stays_at_home() {
        for (path, name) in [("/home/ann/x/", "x"), ("main.py", "main.py"), ("C:\\a\\b.py", "b.py")] {
            assert_eq!(bare_name(path), name);
        }
    }
}
