//! A job in Rust: the mean of the numbers in a dataset, one on each line of its only file.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    // In a job this leads to the private half of the dataset.
    let root = env::var("SYFTBOX_FOLDER")?;
    let owner = env::var("SYFTBOX_EMAIL")?;
    let folder = Path::new(&root).join(owner).join("private/syft_datasets/numbers");
    let folder = fs::read_dir(&folder).map_err(|error| format!("the dataset numbers: {error}"))?;
    let file = folder.filter_map(Result::ok).map(|entry| entry.path()).next().ok_or("it has no file")?;

    let text = fs::read_to_string(file)?;
    let numbers = text.lines().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    println!("{} numbers", numbers.len());
    fs::write("outputs/mean.txt", format!("{mean}\n"))?;
    Ok(())
}
