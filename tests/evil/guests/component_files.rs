// tries: fill the disk as a component, whose calls aren't counted one by one
// expect: output too large
// leaves: nothing
// limit: output 20M
use std::{fs, io::Write};

fn main() {
    for index in 0.. {
        let mut file = fs::File::create(format!("/tmp/{index}")).unwrap();
        for _ in 0..10 {
            file.write_all(&vec![0; 1 << 20]).unwrap();
        }
    }
}
