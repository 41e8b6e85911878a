//! Unpacking zip archives of strangers: bounded, and nowhere but where it was asked for.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Seek, Write},
    path::Path,
};

use syftbox_core::domain::DatasitePath;
use zip::ZipArchive;

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Zip(#[from] zip::result::ZipError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{name} is larger than {limit} bytes")]
    TooLarge { name: String, limit: u64 },
    #[error("it holds more than {limit} files")]
    TooMany { limit: usize },
    #[error("it holds {name:?}, which is no plain file in it")]
    Name { name: String },
}

/// Copies at most `limit` bytes, whatever the archive says of itself; gives their number.
pub(crate) fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    name: &str,
    limit: u64,
    advance: &dyn Fn(u64),
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
        advance(count as u64);
    }
}

/// What an archive may unpack to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes of all its files.
    pub(crate) bytes: u64,
    /// Files and folders.
    pub(crate) files: usize,
}

/// Extracts an archive: plain files and folders below `into` only, each name once. `place` says where a file
/// goes, or that it is left out.
pub(crate) fn extract<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    into: &Path,
    bounds: Bounds,
    place: &dyn Fn(DatasitePath) -> Option<DatasitePath>,
) -> Result<(), Refused> {
    if archive.len() > bounds.files {
        return Err(Refused::TooMany { limit: bounds.files });
    }
    let mut left = bounds.bytes;
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
        let Some(place) = place(path) else { continue };
        let target = into.join(place.as_str());
        if member.is_dir() {
            fs::create_dir_all(target)?;
            continue;
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        left -= copy(&mut member, &mut File::create_new(target)?, &name, left, &|_| {})?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    const BOUNDS: Bounds = Bounds { bytes: 64 << 20, files: 10 };

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
            let refused = extract(&mut archive, &folder.path().join("in"), BOUNDS, &Some).unwrap_err();
            assert!(matches!(refused, Refused::Name { .. }), "{name}: {refused}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
        let mut archive = archive(|zip| zip.add_symlink("a", "/etc", SimpleFileOptions::default()).unwrap());
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(extract(&mut archive, folder.path(), BOUNDS, &Some), Err(Refused::Name { .. })));
    }

    #[test]
    fn files_and_folders_come_out() {
        let mut archive = archive(|zip| {
            zip.add_directory("a/b/", SimpleFileOptions::default()).unwrap();
            zip.start_file("a/c/d.txt", SimpleFileOptions::default()).unwrap();
            zip.write_all(b"hello").unwrap();
        });
        let folder = tempfile::tempdir().unwrap();
        extract(&mut archive, folder.path(), BOUNDS, &Some).unwrap();
        assert!(folder.path().join("a/b").is_dir());
        assert_eq!(fs::read(folder.path().join("a/c/d.txt")).unwrap(), b"hello");
    }

    #[test]
    fn a_bomb_stops_at_its_limit() {
        let mut archive = archive(|zip| {
            zip.start_file("bomb", SimpleFileOptions::default()).unwrap();
            for _ in 0..=(BOUNDS.bytes >> 20) {
                zip.write_all(&vec![0; 1 << 20]).unwrap();
            }
        });
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(extract(&mut archive, folder.path(), BOUNDS, &Some), Err(Refused::TooLarge { .. })));
        assert!(fs::metadata(folder.path().join("bomb")).unwrap().len() <= BOUNDS.bytes);
    }

    #[test]
    fn too_many_files_are_refused_before_any_is_written() {
        let mut archive = archive(|zip| {
            for number in 0..=BOUNDS.files {
                zip.start_file(number.to_string(), SimpleFileOptions::default()).unwrap();
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let refused = extract(&mut archive, folder.path(), BOUNDS, &Some);
        assert!(matches!(refused, Err(Refused::TooMany { limit: 10 })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
