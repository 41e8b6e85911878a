// tries: change the dataset as a component
// expect: finished
// says: 10 refused
use std::fs::{self, File, OpenOptions};
use std::time::SystemTime;

fn main() {
    let folder = "/syftbox/do@test.org/private/syft_datasets/census";
    let data = &format!("{folder}/data.csv");
    fs::write("outputs/mine", "").unwrap();
    let mut refused = 0;
    for (what, got) in [
        ("write", fs::write(data, "x").is_ok()),
        ("truncate", OpenOptions::new().write(true).truncate(true).open(data).is_ok()),
        ("append", OpenOptions::new().append(true).open(data).is_ok()),
        ("set length", File::open(data).unwrap().set_len(0).is_ok()),
        ("set times", File::open(data).unwrap().set_modified(SystemTime::UNIX_EPOCH).is_ok()),
        ("delete", fs::remove_file(data).is_ok()),
        ("rename", fs::rename(data, format!("{folder}/b.csv")).is_ok()),
        ("replace", fs::rename("outputs/mine", data).is_ok()),
        ("new", fs::write(format!("{folder}/new"), "x").is_ok()),
        ("new folder", fs::create_dir(format!("{folder}/new")).is_ok()),
    ] {
        if got { println!("GOTCHA {what}") } else { refused += 1 }
    }
    println!("{refused} refused");
}
