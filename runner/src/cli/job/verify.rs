//! `syftbox job verify`: is this what the owner's machine did?

use serde_json::json;
use syftbox_core::jobs::{Found, VerifiedReceipt};

use super::super::{
    CliError, Output,
    options::Options,
    output::{note, table},
    session::Session,
};

pub(super) async fn run(options: &Options, output: Output, name: &str) -> Result<(), CliError> {
    let session = Session::open(options).await?;
    let verified = session.manager.verify_job(name).await?;
    let holds = verified.holds();
    let VerifiedReceipt { receipt, key, checks } = &verified;
    note(format!("signed by {} with {key}", receipt.job.datasite));
    note(format!(
        "{}, return code {}, {} to {}",
        receipt.times.measured.reason,
        receipt.run.outcome.return_code,
        receipt.times.started_at.to_iso(),
        receipt.times.completed_at.to_iso(),
    ));
    let document = json!({"holds": holds, "key": key, "checks": checks, "receipt": receipt});
    if holds {
        return output.data(&document, || {
            let rows: Vec<_> =
                checks.iter().map(|check| [check.what.clone(), word(check.found).to_owned()]).collect();
            table(["WHAT", "HERE"], &rows)
        });
    }
    let differs = checks.iter().filter(|check| matches!(check.found, Found::Different | Found::Unlisted));
    let differs: Vec<_> = differs.map(|check| format!("{} ({})", check.what, word(check.found))).collect();
    Err(CliError::NotAsSigned { what: differs.join(", ") })
}

fn word(found: Found) -> &'static str {
    match found {
        Found::Same => "as signed",
        Found::Different => "not what was signed",
        Found::NotHere => "not here",
        Found::Unlisted => "not in the receipt",
    }
}
