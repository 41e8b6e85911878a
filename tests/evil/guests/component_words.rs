// tries: fill the disk with its log as a component
// expect: log too large
// limit: log 100K
fn main() {
    loop {
        println!("words");
    }
}
