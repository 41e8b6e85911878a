//! `syftbox demo`: the whole of it at work in a minute, with nothing faked. A local Drive is served,
//! and two people type commands as they would at machines of their own: every command is a process.
//!
//! It succeeds only when everything came out as it must: the numbers, and the fate of a thief.

mod data;
mod error;
mod hostile;
mod narrator;
mod person;
mod stage;

use std::time::{Duration, Instant};

use clap::Args;
use syftbox_core::domain::ContentHash;

pub use self::error::DemoError;
use self::{
    hostile::Attempt,
    narrator::Narrator,
    person::Person,
    stage::{Served, Stage},
};

/// A secret in the environment of both, which no job may see.
const PASSWORD: &str = "correct-horse-battery-staple";

#[derive(Args)]
pub(crate) struct Arguments {
    /// Leave the demo's folder there, to look around in it
    #[arg(long)]
    keep: bool,
}

/// What came of a demo.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Summary {
    /// Attempts of the hostile job that were refused: all of them.
    pub(crate) attempts_refused: usize,
    /// How long it all took, the installation of the runtime included.
    pub(crate) seconds: f64,
}

/// Plays the demo. The story goes to stdout, or to stderr with `json`.
pub(crate) async fn run(arguments: Arguments, json: bool) -> Result<Summary, DemoError> {
    let narrator = Narrator::new(json);
    let stage = Stage::new(arguments.keep, narrator)?;
    let played = tokio::select! {
        played = play(&stage) => played,
        _ = tokio::signal::ctrl_c() => Err(DemoError::Interrupted),
    };
    if arguments.keep {
        narrator.tells(&format!("The demo's folder stays: {}", stage.folder().display()));
    }
    played
}

async fn play(stage: &Stage) -> Result<Summary, DemoError> {
    let start = Instant::now();
    let tells = |text: &str| stage.narrator().tells(text);
    tells("Olivia has the records of 10,000 patients, which may not leave her machine.");
    tells("Sam wants to know which treatment helps. They meet on a Drive; here, it is a local one.");

    stage.narrator().step("1. What jobs run in: Python, compiled for the sandbox. Installed once");
    stage.runs(&["runtime", "install"]).await?;
    let installed = start.elapsed();
    stage.narrator().took(installed);

    stage.narrator().step("2. A Drive, with an account for each");
    let drive = stage.serve().await?;
    let olivia = Person::new("olivia", "olivia@hospital.example", stage)?;
    let sam = Person::new("sam", "sam@university.example", stage)?;
    log_in(&[&olivia, &sam], &drive).await?;

    become_peers(stage, &olivia, &sam).await?;
    publish(stage, &olivia, &sam).await?;
    analyse(stage, &olivia, &sam).await?;
    let attempts_refused = steal(stage, &olivia, &sam, &drive).await?;

    let took = start.elapsed();
    tells(&format!(
        "\nEverything came out as it must, in {:.1} s ({:.1} s of them for the runtime, which stays).",
        took.as_secs_f64(),
        installed.as_secs_f64()
    ));
    Ok(Summary { attempts_refused, seconds: rounded(took) })
}

async fn log_in(people: &[&Person], drive: &Served) -> Result<(), DemoError> {
    for person in people {
        person
            .types(&["drive", "add-account", person.email, "--dir", "../drive", "--token-path", "token.json"])
            .await?;
        person.types(&["login", "--drive-url", &drive.url, "--token-path", "token.json"]).await?;
    }
    Ok(())
}

async fn become_peers(stage: &Stage, olivia: &Person, sam: &Person) -> Result<(), DemoError> {
    stage.narrator().step("3. Sam asks to be a peer, Olivia agrees");
    sam.types(&["peer", "add", olivia.email]).await?;
    olivia.types(&["peer", "list", "--refresh"]).await?;
    olivia.types(&["peer", "approve", sam.email]).await?;
    let peers = sam.looks(&["peer", "list", "--refresh"]).await?;
    expect(peers[0]["state"] == "accepted", "the two are no peers")
}

async fn publish(stage: &Stage, olivia: &Person, sam: &Person) -> Result<(), DemoError> {
    stage.narrator().step("4. Olivia publishes a dataset: made-up records for all eyes, the real ones stay");
    olivia.write("patients.csv", &data::private().csv)?;
    olivia.write("made_up.csv", &data::mock().csv)?;
    olivia
        .types(&[
            "dataset",
            "create",
            "patients",
            "--mock",
            "made_up.csv",
            "--private",
            "patients.csv",
            "--users",
            sam.email,
            "--summary",
            "Treatments and recovery",
        ])
        .await?;
    sam.types(&["sync"]).await?;
    sam.types(&["dataset", "list"]).await?;
    let datasets = sam.looks(&["dataset", "list"]).await?;
    expect(datasets[0]["name"] == "patients", "the dataset didn't arrive")
}

async fn analyse(stage: &Stage, olivia: &Person, sam: &Person) -> Result<(), DemoError> {
    stage.narrator().step("5. Sam sends code, and Olivia reads it");
    sam.write("recovery.py", include_str!("recovery.py"))?;
    sam.types(&["job", "submit-python", olivia.email, "recovery.py", "--name", "recovery"]).await?;
    olivia.types(&["sync"]).await?;
    olivia.types(&["job", "show", "recovery"]).await?;

    stage.narrator().step("6. She approves it, and it runs in the sandbox on the real records");
    approve_and_run(olivia, "recovery").await?;

    stage.narrator().step("7. What Sam sees");
    sam.types(&["sync"]).await?;
    sam.types(&["job", "logs", "recovery"]).await?;
    sam.types(&["job", "outputs", "recovery", "--to", "results"]).await?;
    let result = sam.read("results/recovery.csv")?;
    stage.narrator().command(sam.name, "cat results/recovery.csv");
    stage.narrator().said(&result);
    expect(result == data::private().recovery, "the result isn't what the records say")
}

/// Says what was shown while it ran.
async fn approve_and_run(olivia: &Person, job: &str) -> Result<String, DemoError> {
    olivia.types(&["job", "approve", job]).await?;
    olivia.types(&["job", "process", "--share-outputs", "--share-logs"]).await
}

async fn steal(stage: &Stage, olivia: &Person, sam: &Person, drive: &Served) -> Result<usize, DemoError> {
    let narrator = stage.narrator();
    narrator.step("8. Now Sam is a thief, and Olivia approves without reading");
    let dataset =
        olivia.folder().join(format!("{}/private/syft_datasets/patients/patients.csv", olivia.email));
    let before = ContentHash::of(olivia.read(&dataset)?.as_bytes());
    sam.write("recovery.py", &hostile::script(&hostile::token_file(olivia), &drive.url))?;
    sam.types(&["job", "submit-python", olivia.email, "recovery.py", "--name", "again"]).await?;
    olivia.types(&["sync"]).await?;
    let said = approve_and_run(olivia, "again").await?;
    expect(!said.contains('\u{1b}'), "the job could send commands to the terminal")?;
    sam.types(&["sync"]).await?;

    narrator.step("9. What the thief's job tried, and what the sandbox answered");
    let outputs = sam.looks(&["job", "outputs", "again", "--to", "loot"]).await?;
    let loot = outputs[0]["outputs"].as_array().map_or(0, Vec::len);
    let attempts: Vec<Attempt> = serde_json::from_str(&sam.read("loot/attempts.json")?).unwrap_or_default();
    let refused = hostile::tell_attempts(narrator, &attempts)?;
    expect(loot == 1, "the thief got more files than its list of attempts")?;
    hostile::check_nothing_left(olivia, sam, &dataset, before)?;
    narrator.tells("  Olivia's records are unchanged, and none of her secrets is among Sam's files.");
    Ok(refused)
}

fn expect(is_so: bool, what: &str) -> Result<(), DemoError> {
    if is_so { Ok(()) } else { Err(wrong(what.to_owned())) }
}

fn wrong(what: String) -> DemoError {
    DemoError::Wrong(what)
}

fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}
