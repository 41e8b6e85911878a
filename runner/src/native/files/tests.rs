use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    time::{Duration, SystemTime},
};

use syftbox_core::platform::{FileKind, suite};

use super::*;

fn at(path: &str) -> DatasitePath {
    path.parse().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn behaves_as_every_store() {
    let folder = tempfile::tempdir().unwrap();
    suite::file_store(&StdFiles::new(folder.path().join("not/there/yet"), Access::Owner)).await;
}

#[tokio::test]
async fn links_below_the_root_are_never_followed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "s").unwrap();
    fs::create_dir(folder.path().join("real")).unwrap();
    symlink("real", folder.path().join("root")).unwrap();
    let files = StdFiles::new(folder.path().join("root"), Access::Umask);
    files.write(&at("sub/mine"), Bytes::from_static(b"m")).await.unwrap();
    symlink(&outside, folder.path().join("real/out")).unwrap();
    symlink(outside.join("secret"), folder.path().join("real/sub/secret")).unwrap();

    for path in ["out/secret", "sub/secret"] {
        for error in
            [files.read(&at(path), 10).await.unwrap_err(), files.read_at(&at(path), 0, 10).await.unwrap_err()]
        {
            assert!(matches!(error.kind, FileErrorKind::Special), "{error}");
        }
    }
    assert!(files.stat(&at("out/secret")).await.is_err());
    assert!(files.list(Some(&at("out"))).await.is_err());
    assert!(files.write(&at("out/new"), Bytes::new()).await.is_err());
    assert!(files.create_folder(&at("out/new")).await.is_err());
    assert!(files.remove(&at("out/secret")).await.is_err());
    assert!(files.rename(&at("sub/mine"), &at("out/mine")).await.is_err());
    assert_eq!(files.stat(&at("sub/secret")).await.unwrap().unwrap().kind, FileKind::Other);

    // Writing replaces a link, and removing a folder removes the links in it.
    files.write(&at("sub/secret"), Bytes::from_static(b"own")).await.unwrap();
    assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), "s");
    symlink(&outside, folder.path().join("real/sub/again")).unwrap();
    files.remove(&at("sub")).await.unwrap();
    files.remove(&at("out")).await.unwrap();
    assert_eq!(files.list(None).await.unwrap(), []);
    assert!(outside.join("secret").exists());
}

#[tokio::test]
async fn a_pipe_is_refused_and_does_not_block() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let files = StdFiles::new(folder.path(), Access::Owner);
    let error = files.read_at(&at("pipe"), 0, 1).await.unwrap_err();
    assert!(matches!(error.kind, FileErrorKind::Special), "{error}");
}

#[tokio::test]
async fn access_decides_who_reads() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("private");
    StdFiles::new(&root, Access::Owner).write(&at("sub/key"), Bytes::new()).await.unwrap();
    assert_eq!((mode(&root), mode(&root.join("sub")), mode(&root.join("sub/key"))), (0o700, 0o700, 0o600));
}

#[tokio::test]
async fn what_a_crash_left_is_hidden_and_cleaned_up() {
    let folder = tempfile::tempdir().unwrap();
    let files = StdFiles::new(folder.path(), Access::Owner);
    let mut sink = files.create(&at("growing")).await.unwrap();
    sink.append(Bytes::from_static(b"still written")).await.unwrap();
    let left = folder.path().join(format!("{}left", tree::TEMPORARY));
    fs::write(&left, "half").unwrap();
    assert_eq!(files.list(None).await.unwrap(), []);
    assert!(left.exists(), "a fresh one may still be written");

    let long_ago = SystemTime::now() - Duration::from_hours(2);
    for entry in fs::read_dir(folder.path()).unwrap() {
        fs::File::options().append(true).open(entry.unwrap().path()).unwrap().set_modified(long_ago).unwrap();
    }
    assert_eq!(files.list(None).await.unwrap(), []);
    assert!(!left.exists());
    sink.commit().await.unwrap();
    assert_eq!(files.read(&at("growing"), 99).await.unwrap(), "still written");

    let error = files.write(&at(&format!("{}x", tree::TEMPORARY)), Bytes::new()).await.unwrap_err();
    assert!(error.to_string().contains("rename it"), "{error}");
}

#[tokio::test]
async fn removes_folders_of_any_depth() {
    let folder = tempfile::tempdir().unwrap();
    let mut at_depth = rustix::fs::open(
        folder.path(),
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY,
        rustix::fs::Mode::empty(),
    )
    .unwrap();
    for depth in 0..5_000 {
        let name = if depth == 0 { "deep" } else { "d" };
        rustix::fs::mkdirat(&at_depth, name, rustix::fs::Mode::from_raw_mode(0o700)).unwrap();
        at_depth = rustix::fs::openat(
            &at_depth,
            name,
            rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY,
            rustix::fs::Mode::empty(),
        )
        .unwrap();
    }
    let files = StdFiles::new(folder.path(), Access::Owner);
    files.remove(&at("deep")).await.unwrap();
    assert_eq!(files.list(None).await.unwrap(), []);
}
