//! A wheel: a stranger's archive. What it says of itself, and its files without native code.

use std::{
    fs::File,
    io::{self, Read, Seek},
    path::Path,
};

use pep440_rs::Version;
use syftbox_core::domain::DatasitePath;
use zip::ZipArchive;

use super::{PackageName, Requirement};
use crate::archive::{Bounds, Refused, extract};

/// The largest wheel that is taken, in bytes.
pub(super) const LARGEST: u64 = 100 << 20;
/// What a wheel may unpack to.
const BOUNDS: Bounds = Bounds { bytes: 300 << 20, files: 20_000 };
/// The longest description of a wheel, in bytes, and how many packages it may want.
const LONGEST: u64 = 2 << 20;
const MOST_WANTED: usize = 1000;
/// How the names of native libraries end.
const NATIVE: [&str; 5] = [".so", ".pyd", ".dll", ".dylib", ".node"];

/// What a wheel says of itself.
#[derive(Debug)]
pub(super) struct About {
    pub(super) name: PackageName,
    pub(super) version: Version,
    /// The packages that it wants, under whatever condition.
    pub(super) wants: Vec<Requirement>,
}

/// A wheel that isn't taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadWheel {
    #[error("it can't be unpacked: {0}")]
    Archive(#[from] Refused),
    #[error("it can't be read: {0}")]
    Io(#[from] io::Error),
    #[error("it has native code ({0}), though its name says that it hasn't")]
    Native(String),
    #[error("its name {0:?} isn't that of a wheel without native code")]
    FileName(String),
    #[error("it has no description of a package")]
    NoMetadata,
    #[error("what it says of itself can't be read: {0}")]
    Metadata(String),
    #[error("it says that it is {0}, which isn't what its name says")]
    OtherPackage(String),
}

impl From<zip::result::ZipError> for BadWheel {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Archive(error.into())
    }
}

/// Reads what a wheel says of itself, which must be what its file's name says.
pub(super) fn about(path: &Path) -> Result<About, BadWheel> {
    let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (name, version) = parse(&file_name).ok_or_else(|| BadWheel::FileName(file_name.clone()))?;
    let mut archive = ZipArchive::new(File::open(path)?)?;
    for name in archive.file_names() {
        let name = name?;
        if is_native(&name) {
            return Err(BadWheel::Native(name.into_owned()));
        }
    }
    let metadata = metadata(&mut archive)?;
    let about = read(&metadata)?;
    if about.name != name || about.version != version {
        return Err(BadWheel::OtherPackage(format!("{} {}", about.name, about.version)));
    }
    Ok(about)
}

/// Unpacks what Python imports into a new folder.
pub(super) fn unpack(path: &Path, into: &Path) -> Result<(), BadWheel> {
    let mut archive = ZipArchive::new(File::open(path)?)?;
    Ok(extract(&mut archive, into, BOUNDS, &|path| imported(&path))?)
}

/// Where a file of a wheel is in the folder on the import path. Scripts, headers and data have no place.
fn imported(path: &DatasitePath) -> Option<DatasitePath> {
    let (first, rest) = path.as_str().split_once('/').unwrap_or((path.as_str(), ""));
    if first.rsplit_once('.').is_none_or(|(_, end)| end != "data") {
        return Some(path.clone());
    }
    let (kind, rest) = rest.split_once('/')?;
    if matches!(kind, "purelib" | "platlib") { rest.parse().ok() } else { None }
}

/// The package's name and version of `name-version[-build]-python-none-any.whl`.
fn parse(file_name: &str) -> Option<(PackageName, Version)> {
    let mut parts = file_name.strip_suffix(".whl")?.split('-');
    let (name, version) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let tags: Vec<_> = parts.collect();
    let [python, "none", "any"] = tags[tags.len().checked_sub(3)?..] else { return None };
    (tags.len() <= 4 && python.split('.').any(|tag| tag.starts_with("py3"))).then_some((name, version))
}

fn is_native(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NATIVE.iter().any(|end| name.ends_with(end)) || name.contains(".so.")
}

fn metadata<R: Read + Seek>(archive: &mut ZipArchive<R>) -> Result<String, BadWheel> {
    let is_metadata = |name: &str| name.ends_with(".dist-info/METADATA") && name.matches('/').count() == 1;
    let mut names = archive.file_names().filter_map(Result::ok);
    let name = names.find(|name| is_metadata(name)).ok_or(BadWheel::NoMetadata)?.into_owned();
    drop(names);
    let mut text = Vec::new();
    archive.by_name(&name)?.take(LONGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(BadWheel::Metadata(format!("it is longer than {LONGEST} bytes")));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn read(metadata: &str) -> Result<About, BadWheel> {
    let invalid = |what: &str| BadWheel::Metadata(what.chars().take(200).collect());
    let (mut name, mut version, mut wants) = (None, None, Vec::new());
    // The fields come first; an empty line ends them. A line of blanks goes on with the field before it.
    for line in metadata.lines().take_while(|line| !line.is_empty()) {
        let Some((field, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match field.to_ascii_lowercase().as_str() {
            "name" => name = Some(value.parse().map_err(|_| invalid(line))?),
            "version" => version = Some(value.parse().map_err(|_| invalid(line))?),
            "requires-dist" if wants.len() < MOST_WANTED => {
                wants.push(value.parse().map_err(|error| invalid(&format!("{value}: {error}")))?);
            }
            "requires-dist" => return Err(invalid("it wants too many packages")),
            _ => {}
        }
    }
    match (name, version) {
        (Some(name), Some(version)) => Ok(About { name, version, wants }),
        _ => Err(BadWheel::NoMetadata),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_wheels_without_native_code_are_taken() {
        for (file, expected) in [
            ("humanize-4.17.0-py3-none-any.whl", Some("humanize")),
            ("Six_x-1.0-py2.py3-none-any.whl", Some("six-x")),
            ("a-1.0-1-py3-none-any.whl", Some("a")),
            ("a-1.0-cp315-cp315-manylinux_2_28_x86_64.whl", None),
            ("a-1.0-py3-none-manylinux_2_28_x86_64.whl", None),
            ("a-1.0-py2-none-any.whl", None),
            ("a-x-py3-none-any.whl", None),
            ("a.whl", None),
            ("a-1.0-py3-none-any.zip", None),
        ] {
            assert_eq!(parse(file).map(|(name, _)| name.to_string()).as_deref(), expected, "{file}");
        }
    }

    #[test]
    fn libraries_and_only_those_are_native() {
        for native in ["a/b.so", "a/b.cpython-312-x86_64-linux-gnu.so", "lib/libx.so.6", "a.PYD", "x.dylib"] {
            assert!(is_native(native), "{native}");
        }
        for plain in ["a/solver.py", "a.so_called.py", "also.txt", "a/data.json"] {
            assert!(!is_native(plain), "{plain}");
        }
    }

    #[test]
    fn files_for_the_import_path_and_no_others() {
        let place = |path: &str| imported(&path.parse().unwrap()).map(|path| path.as_str().to_owned());
        assert_eq!(place("a/b.py").as_deref(), Some("a/b.py"));
        assert_eq!(place("a-1.data/purelib/c/d.py").as_deref(), Some("c/d.py"));
        assert_eq!(place("a-1.data/scripts/run"), None);
        assert_eq!(place("a-1.data/data/etc/x"), None);
    }

    #[test]
    fn what_a_package_wants_ends_where_its_description_begins() {
        let about =
            read("Name: A_b\nVersion: 1.0\nLicense: x\n  \n  Name: c\nRequires-Dist: numpy (>=1)\n\nRequires-Dist: evil\n").unwrap();
        assert_eq!((about.name.as_str(), about.wants.len()), ("a-b", 1));
        assert!(read("Name: a\n").is_err());
        assert!(read("Name: a\nVersion: 1\nRequires-Dist: b @ file:///etc\n").is_err());
    }
}
