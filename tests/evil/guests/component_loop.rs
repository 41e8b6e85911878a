// tries: compute forever as a component
// expect: timed out
// limit: time 1
fn main() {
    let mut x = 1_u64;
    while x != 0 {
        x = std::hint::black_box(x | 1);
    }
}
