//! What is fixed of files for a deterministic component: all are as old as each other, and the hashes that tell them
//! apart are numbers, in the order in which the component asks.

use wasmtime::{
    StoreContextMut,
    component::{ComponentType, Lift, Linker, Lower, Resource},
};
use wasmtime_wasi::{
    filesystem::{WasiFilesystemCtxView, WasiFilesystemView},
    p2::{
        FsResult,
        bindings::{
            clocks::wall_clock::Datetime,
            sync::filesystem::types::{
                Descriptor, DescriptorStat, ErrorCode, Host, HostDescriptor, MetadataHashValue, PathFlags,
            },
        },
    },
};

use super::{super::fixed::START, Guest};

/// The interface, under the name that wasmtime-wasi gives it.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

type File = Resource<Descriptor>;

/// Puts calls in the place of those that tell of a file's times and its number on this machine.
///
/// # Errors
/// When the linker refuses a definition.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap("[method]descriptor.stat", |store, (file,): (File,)| {
        answer(store, |files| files.stat(file), without_times)
    })?;
    types.func_wrap(
        "[method]descriptor.stat-at",
        |store, (folder, flags, path): (File, PathFlags, String)| {
            answer(store, |files| files.stat_at(folder, flags, path), without_times)
        },
    )?;
    types.func_wrap("[method]descriptor.metadata-hash", |store, (file,): (File,)| {
        answer(store, |files| files.metadata_hash(file), numbered)
    })?;
    types.func_wrap(
        "[method]descriptor.metadata-hash-at",
        |store, (folder, flags, path): (File, PathFlags, String)| {
            answer(store, |files| files.metadata_hash_at(folder, flags, path), numbered)
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What the call answers, with `fix` over it.
fn answer<T: ComponentType + Lift + Lower>(
    mut store: StoreContextMut<'_, Guest>,
    call: impl FnOnce(&mut WasiFilesystemCtxView<'_>) -> FsResult<T>,
    fix: impl FnOnce(&mut Guest, T) -> T,
) -> wasmtime::Result<(Result<T, ErrorCode>,)> {
    let guest = store.data_mut();
    let mut files = guest.filesystem();
    let answered = match call(&mut files) {
        Ok(answered) => answered,
        Err(error) => return Ok((Err(files.convert_error_code(error)?),)),
    };
    Ok((Ok(fix(guest, answered)),))
}

fn without_times(_: &mut Guest, stat: DescriptorStat) -> DescriptorStat {
    let start = Some(Datetime { seconds: START, nanoseconds: 0 });
    DescriptorStat {
        data_access_timestamp: start,
        data_modification_timestamp: start,
        status_change_timestamp: start,
        ..stat
    }
}

fn numbered(guest: &mut Guest, hash: MetadataHashValue) -> MetadataHashValue {
    MetadataHashValue { lower: guest.inodes.number(hash.lower ^ hash.upper), upper: 0 }
}
