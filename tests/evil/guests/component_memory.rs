// tries: take all memory there is as a component
// expect: out of memory
// limit: memory 64M
fn main() {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1_u8; 1 << 20]);
    }
}
