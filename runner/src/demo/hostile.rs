//! The thief's job: what it tried, what it was told, and whether anything really left.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use syftbox_core::domain::ContentHash;

use super::{DemoError, Narrator, PASSWORD, person::Person, wrong};

/// How much of an answer is shown.
const SHOWN: usize = 90;

/// What became of one attempt, as the job itself tells it.
#[derive(Debug, Deserialize)]
pub(super) struct Attempt {
    attempt: String,
    /// What it was told; missing when it got what it wanted.
    refused: Option<String>,
}

/// The script, which knows where the owner's token is and where the Drive answers.
pub(super) fn script(token_file: &Path, drive_url: &str) -> String {
    let port = drive_url.rsplit(':').next().unwrap_or_default();
    let token_file = Value::from(token_file.to_string_lossy());
    format!("TOKEN_FILE = {token_file}\nDRIVE_PORT = {port}\n\n{}", include_str!("hostile.py"))
}

/// Shows the answers to every attempt; each must have been refused.
pub(super) fn tell_attempts(narrator: Narrator, attempts: &[Attempt]) -> Result<usize, DemoError> {
    let width = attempts.iter().map(|answer| answer.attempt.chars().count()).max().unwrap_or_default();
    for Attempt { attempt, refused } in attempts {
        let Some(why) = refused else {
            return Err(wrong(format!("the job could {attempt}")));
        };
        let mut why: String = why.lines().next().unwrap_or_default().to_owned();
        if why.chars().count() > SHOWN {
            why = why.chars().take(SHOWN).chain(['…']).collect();
        }
        narrator.said(&format!("{attempt:width$}  refused: {why}"));
    }
    if attempts.is_empty() {
        Err(wrong("the hostile job tried nothing".to_owned()))
    } else {
        Ok(attempts.len())
    }
}

/// Whatever the job says of itself: is the dataset as it was, and did any secret reach the thief?
pub(super) fn check_nothing_left(
    owner: &Person,
    thief: &Person,
    dataset: &Path,
    before: ContentHash,
) -> Result<(), DemoError> {
    if ContentHash::of(owner.read(dataset)?.as_bytes()) != before {
        return Err(wrong("the private dataset was changed".to_owned()));
    }
    let token: Value = serde_json::from_str(&owner.read(token_file(owner))?).unwrap_or_default();
    let token = token["token"].as_str().filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| wrong("the owner has no token to steal".to_owned()))?;
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut secrets = vec![token, PASSWORD];
    secrets.extend(passwd.lines().next());
    let stolen = first_with(&thief.folder(), &secrets)
        .map_err(|source| DemoError::File { path: thief.folder(), source })?;
    match stolen {
        Some(file) => Err(wrong(format!("a secret of the owner is in {file}"))),
        None => Ok(()),
    }
}

/// Where a person has the token.
pub(super) fn token_file(person: &Person) -> std::path::PathBuf {
    person.path("token.json")
}

/// The first file below `folder` that contains one of `secrets`.
fn first_with(folder: &Path, secrets: &[&str]) -> std::io::Result<Option<String>> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if let Some(found) = first_with(&path, secrets)? {
                return Ok(Some(found));
            }
        } else {
            let content = std::fs::read(&path)?;
            let has = |secret: &&str| content.windows(secret.len()).any(|part| part == secret.as_bytes());
            if secrets.iter().any(has) {
                return Ok(Some(path.display().to_string()));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_wherever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        std::fs::write(folder.path().join("deep/x.bin"), b"\0\xffsecret\0").unwrap();
        assert!(first_with(folder.path(), &["secret"]).unwrap().unwrap().ends_with("deep/x.bin"));
        assert_eq!(first_with(folder.path(), &["other"]).unwrap(), None);
    }

    #[test]
    fn the_script_begins_with_what_the_thief_knows() {
        let script = script(Path::new("/home/\"o\"/token.json"), "http://127.0.0.1:4711");
        assert!(script.starts_with("TOKEN_FILE = \"/home/\\\"o\\\"/token.json\"\nDRIVE_PORT = 4711\n"));
    }

    #[test]
    fn an_attempt_that_was_not_refused_is_an_error() {
        let attempts = |answer: &str| -> Vec<Attempt> {
            serde_json::from_str(&format!(r#"[{{"attempt": "read it", {answer}}}]"#)).unwrap()
        };
        let narrator = Narrator::new(true);
        assert_eq!(tell_attempts(narrator, &attempts(r#""refused": "OSError: no""#)).unwrap(), 1);
        assert!(tell_attempts(narrator, &attempts(r#""stolen": "x""#)).is_err());
        assert!(tell_attempts(narrator, &[]).is_err());
    }
}
