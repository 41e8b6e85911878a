//! `cargo xtask web`: the npm package for browsers, notebooks and Node.

use std::path::Path;

use crate::error::Result;
use crate::process::{cargo, run};

/// Where the package goes, below the workspace's root.
const FOLDER: &str = "target/npm/syftbox-web";

/// Writes the package.
pub(crate) fn build() -> Result<()> {
    let pack = ["run", "--quiet", "--package", "syftbox-web-pack", "--"];
    run(cargo().args(pack).arg(Path::new(FOLDER)))?;
    println!("The package is in {FOLDER}.");
    Ok(())
}
