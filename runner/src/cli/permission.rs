//! `syftbox permission …`.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use syftbox_core::{
    manager::{ListedPermissions, PermissionAnswer, PermissionChange},
    permissions::Level,
};

use super::{
    CliError, Output,
    options::Options,
    output::{note, table},
    session::Session,
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show all rules of your datasite
    List,
    /// Say whether somebody may read and write a file or folder, and why
    Explain(About),
    /// Let somebody read, write or administer a file or folder; nobody else's access changes
    Grant {
        #[command(flatten)]
        about: About,
        /// What they may do; each includes those before it
        level: ChosenLevel,
    },
    /// Take that from somebody; what they were sent already stays with them
    Revoke {
        #[command(flatten)]
        about: About,
        /// What they may do no more, nor what includes it [default: read, and so everything]
        level: Option<ChosenLevel>,
    },
}

#[derive(Args)]
pub(super) struct About {
    /// A file or folder of your datasite, relative to it; `.` is the whole datasite
    path: String,
    /// Whose access
    #[arg(value_name = "ADDRESS")]
    user: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ChosenLevel {
    /// See it
    Read,
    /// Propose other content
    Write,
    /// See and change its permission files
    Admin,
}

impl From<ChosenLevel> for Level {
    fn from(level: ChosenLevel) -> Self {
        match level {
            ChosenLevel::Read => Self::Read,
            ChosenLevel::Write => Self::Write,
            ChosenLevel::Admin => Self::Admin,
        }
    }
}

pub(super) async fn run(options: &Options, output: Output, command: Command) -> Result<(), CliError> {
    let session = Session::open(options).await?;
    let manager = &session.manager;
    match command {
        Command::List => {
            let files = manager.permission_files().await?;
            output.data(&rules(&files), || human_rules(&files))
        }
        Command::Explain(About { path, user }) => {
            let answer = manager.explain_permission(&path, &user.parse()?).await?;
            output.data(&answer, || human(&answer))
        }
        Command::Grant { about: About { path, user }, level } => {
            let change = manager.grant_permission(&path, &user.parse()?, level.into()).await?;
            tell(&change);
            output.data(&change, || human(&change.now))
        }
        Command::Revoke { about: About { path, user }, level } => {
            let level = level.map_or(Level::Read, Level::from);
            let change = manager.revoke_permission(&path, &user.parse()?, level).await?;
            tell(&change);
            output.data(&change, || human(&change.now))
        }
    }
}

fn tell(change: &PermissionChange) {
    if let Some(pattern) = &change.wider {
        note(format!(
            "only the rule for {pattern} could say it: {} has the same wherever that decides",
            change.now.user
        ));
    }
    note(if change.changed { "changed; `syftbox sync` makes it known" } else { "nothing to change" });
}

fn human(answer: &PermissionAnswer) -> String {
    let yes_no = |allowed: bool| if allowed { "yes" } else { "no" }.to_owned();
    let row = [
        answer.path.clone(),
        answer.user.to_string(),
        yes_no(answer.read),
        yes_no(answer.write),
        yes_no(answer.admin),
    ];
    let mut text = table(["PATH", "USER", "READ", "WRITE", "ADMIN"], &[row]);
    text.push_str("\nbecause ");
    text.push_str(&super::safe(&answer.why));
    if !answer.exceptions.is_empty() {
        text.push_str("\nbut parts of it are decided by ");
        text.push_str(&super::safe(&answer.exceptions.join(", ")));
    }
    text
}

fn rules(files: &[ListedPermissions]) -> Value {
    let listed = files.iter().map(|ListedPermissions { path, file }| match file {
        Ok(file) => json!({"file": path, "rules": file.rules, "terminal": file.terminal}),
        Err(error) => json!({"file": path, "error": error.to_string()}),
    });
    listed.collect()
}

fn human_rules(files: &[ListedPermissions]) -> String {
    let mut rows = Vec::new();
    for ListedPermissions { path, file } in files {
        match file {
            Err(error) => note(format!("{path} can't be understood: {error}")),
            Ok(file) => {
                for rule in &file.rules {
                    let access = &rule.access;
                    rows.push([
                        path.to_string(),
                        rule.pattern.to_string(),
                        access.read.join(", "),
                        access.write.join(", "),
                        access.admin.join(", "),
                    ]);
                }
            }
        }
    }
    table(["FILE", "PATTERN", "READ", "WRITE", "ADMIN"], &rows)
}
