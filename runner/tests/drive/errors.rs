//! Wrong addresses and refused tokens.

use syftbox_core::drive::{Content, DriveError, NewFile};
use syftbox_localdrive::{Fault, When};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{Scene, new_file};

#[tokio::test]
async fn nobody_there() {
    let scene = Scene::new();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = scene.drive_at("ann", &format!("http://{free}")).about().await.unwrap_err();
    assert!(matches!(error, DriveError::Unreachable { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(&free.to_string()) && text.contains("--drive-url") && text.contains("refused"),
        "{text}"
    );
}

#[tokio::test]
async fn somebody_else_there() {
    let scene = Scene::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let page = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>").await.unwrap();
    };
    let drive = scene.drive_at("ann", &url);
    let (error, ()) = tokio::join!(drive.about(), page);
    let error = error.unwrap_err();
    assert!(matches!(error, DriveError::NotDrive { .. }), "{error}");
    assert!(error.to_string().contains("--drive-url"), "{error}");
}

#[tokio::test]
async fn a_token_that_nobody_knows() {
    let scene = Scene::new();
    let error = scene.drive("mallory").about().await.unwrap_err();
    assert!(error.to_string().contains("syftbox login"), "{error}");
    assert!(!format!("{error:?}").contains("mallory"));
}

#[tokio::test]
async fn passing_trouble_is_sat_out() {
    let scene = Scene::new();
    let ann = scene.drive("ann");
    for status in [429, 500, 502, 503, 504, 403] {
        scene.faults().next(1, When::any(), Fault::Status(status, None));
        assert!(ann.about().await.is_ok(), "{status}");
    }
    scene.faults().next(1, When::any(), Fault::DropRequest);
    assert!(ann.about().await.is_ok());
}

#[tokio::test]
async fn another_file_has_the_id() {
    let scene = Scene::new();
    let ann = scene.drive("ann");
    let new = new_file(&ann, "first", &NewFile::my_drive()).await;
    ann.create_folder(new.clone()).await.unwrap();
    let other = NewFile { name: "second".to_owned(), ..new };
    let error = ann.upload(other, Content::Bytes("x".into())).await.unwrap_err();
    assert!(matches!(error, DriveError::IdTaken { .. }), "{error}");
}
