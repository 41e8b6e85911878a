//! The packages that the Python runtime has.

use std::{collections::BTreeMap, sync::LazyLock};

use pep440_rs::Version;

use super::PackageName;

/// What the pinned runtime's own metadata says, one `name==version` a line.
const PACKAGES: &str = include_str!("../../python/packages.txt");
/// What the sandbox itself gives to every job, under the names of the Python peers' own package.
const OURS: [&str; 2] = ["syft", "syft-client"];

static PROVIDED: LazyLock<BTreeMap<PackageName, Version>> = LazyLock::new(|| {
    let package = |line: &str| {
        let (name, version) = line.split_once("==")?;
        Some((name.parse().ok()?, version.parse().ok()?))
    };
    PACKAGES.lines().filter_map(package).collect()
});

/// All of them, as one text.
pub(super) fn all() -> &'static str {
    PACKAGES
}

/// The version of a package that the runtime has.
pub(super) fn version(name: &PackageName) -> Option<&'static Version> {
    PROVIDED.get(name)
}

/// Whether a job has a package without bringing it.
pub(super) fn has(name: &PackageName) -> bool {
    is_ours(name) || version(name).is_some()
}

/// Whether a package stands for what the sandbox gives to every job.
pub(super) fn is_ours(name: &PackageName) -> bool {
    OURS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::runtime::{RuntimeStore, Silent, default_cache_dir};

    #[test]
    fn the_list_is_what_the_runtime_says_of_itself() {
        let store = RuntimeStore::open(&default_cache_dir().unwrap());
        let python = store.ensure("python", &Silent).unwrap();
        let library = python.path().join("lib/python315.zip");
        let library = zip::ZipArchive::new(File::open(library).unwrap()).unwrap();
        let found: BTreeMap<PackageName, Version> = library
            .file_names()
            .filter_map(|name| Some(name.unwrap().strip_suffix(".dist-info/METADATA")?.to_owned()))
            .map(|folder| {
                let (name, version) = folder.rsplit_once('-').unwrap();
                (name.parse().unwrap(), version.parse().unwrap())
            })
            .collect();
        assert_eq!(*PROVIDED, found);
        assert_eq!(PROVIDED.len(), PACKAGES.lines().count());
    }
}
