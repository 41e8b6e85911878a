//! The server alone: `localdrive DIR` answers on a free port of 127.0.0.1 with the accounts of DIR, and
//! prints its address. The test of what survives a kill runs it.

use std::{path::PathBuf, process::ExitCode};

use syftbox_localdrive::{Accounts, LocalDrive, LocalDriveError};

#[tokio::main]
async fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1) else {
        eprintln!("usage: localdrive DIR");
        return ExitCode::from(2);
    };
    match serve(PathBuf::from(dir)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(dir: PathBuf) -> Result<(), LocalDriveError> {
    let drive = LocalDrive::open(&dir, Accounts::in_dir(&dir)?)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(LocalDriveError::Listen)?;
    println!("http://{}", listener.local_addr().map_err(LocalDriveError::Listen)?);
    drive.serve(listener, std::future::pending()).await
}
