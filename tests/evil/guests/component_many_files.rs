// tries: make empty files without end as a component
// expect: output too large
// limit: files 1000
// leaves: nothing
use std::fs;

fn main() {
    for index in 0.. {
        fs::write(format!("outputs/{index}"), "").unwrap();
    }
}
