//! Writes the npm package of `syftbox-web` into the folder named as the only argument.

use std::{env, path::Path, process::ExitCode};

use syftbox_web_pack::Profile;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(folder), None) = (arguments.next(), arguments.next()) else {
        eprintln!("Name the one folder that the package goes into.");
        return ExitCode::from(2);
    };
    match syftbox_web_pack::build(Path::new(&folder), Profile::Small) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
