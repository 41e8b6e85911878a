// tries: make links in outputs as a component, and read through them
// expect: finished
// leaves: mine
// says: 8 refused
use std::{ffi::CString, fs, os::raw::c_char};

unsafe extern "C" {
    fn symlink(target: *const c_char, link: *const c_char) -> i32;
    fn link(from: *const c_char, to: *const c_char) -> i32;
}

fn soft(target: &str, name: &str) {
    let (target, name) = (CString::new(target).unwrap(), CString::new(name).unwrap());
    unsafe { symlink(target.as_ptr(), name.as_ptr()) };
}

fn hard(from: &str, name: &str) -> bool {
    let (from, name) = (CString::new(from).unwrap(), CString::new(name).unwrap());
    unsafe { link(from.as_ptr(), name.as_ptr()) == 0 }
}

fn main() {
    let world = std::env::args().nth(1).unwrap();
    let data = "/syftbox/do@test.org/private/syft_datasets/census/data.csv";
    fs::write("outputs/mine", "").unwrap();
    soft(&format!("{world}/token.json"), "outputs/token");
    soft("../../../../../token.json", "outputs/near");
    soft("/", "outputs/root");
    soft("../code", "outputs/code");
    soft("outputs", "outputs/outputs");
    let mut refused = 0;
    for (what, got) in [
        ("token", fs::read("outputs/token").is_ok()),
        ("near", fs::read("outputs/near").is_ok()),
        ("root", fs::read("outputs/root/etc/passwd").is_ok()),
        ("code", fs::write("outputs/code/evil", "x").is_ok()),
        ("token through a second name", hard("outputs/token", "outputs/twice") && fs::read("outputs/twice").is_ok()),
        ("hard link to the dataset", hard(data, "outputs/hard")),
        ("hard link into the dataset", hard("outputs/mine", &format!("{data}.new"))),
        ("hard link to code", hard("code/program.wasm", "outputs/program")),
    ] {
        if got { println!("GOTCHA {what}") } else { refused += 1 }
    }
    println!("{refused} refused");
}
