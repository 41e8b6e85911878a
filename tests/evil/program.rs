//! From a guest's file to the program that runs: a text is compiled where it isn't a script.

use std::{fs, path::Path, process::Command};

use crate::guest::Guest;

/// Writes the guest's program into `code`, and gives its name.
pub(crate) fn write(guest: &Guest, code: &Path) -> String {
    match guest.language() {
        "wat" => {
            let bytes =
                wat::parse_str(expand(&guest.text)).unwrap_or_else(|why| panic!("{}: {why}", guest.name));
            wasm(code, &bytes)
        }
        "hex" => {
            let digits = guest.text.lines().filter(|line| !line.starts_with('#')).flat_map(str::chars);
            let digits: Vec<_> = digits.filter_map(|digit| digit.to_digit(16)).collect();
            let bytes: Vec<_> =
                digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect();
            wasm(code, &bytes)
        }
        "rs" => {
            let folder = tempfile::tempdir().unwrap();
            let source = folder.path().join("guest.rs");
            fs::write(&source, &guest.text).unwrap();
            let program = folder.path().join("guest.wasm");
            let built = Command::new("rustc")
                .args(["--edition", "2024", "--target", "wasm32-wasip2", "-o"])
                .args([&program, &source])
                .output()
                .unwrap();
            assert!(built.status.success(), "{}:\n{}", guest.name, String::from_utf8_lossy(&built.stderr));
            wasm(code, &fs::read(program).unwrap())
        }
        _ => {
            fs::write(code.join(&guest.name), &guest.text).unwrap();
            guest.name.clone()
        }
    }
}

fn wasm(code: &Path, bytes: &[u8]) -> String {
    fs::write(code.join("program.wasm"), bytes).unwrap();
    "program.wasm".to_owned()
}

/// Repeats what a text says to repeat: `{{3|ab}}` is `ababab`, and may stand in another.
fn expand(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(start) = text.rfind("{{") {
        let end = start + text[start..].find("}}").unwrap();
        let (times, what) = text[start + 2..end].split_once('|').unwrap();
        let repeated = what.repeat(times.parse().unwrap());
        text.replace_range(start..end + 2, &repeated);
    }
    text
}
