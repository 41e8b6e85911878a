//! Who may do what in our datasite: explaining, giving and taking it (wire section 7).
//!
//! All of it is about local files, without a request. The next sync sends what became readable.

use serde::Serialize;

use super::{ManagerError, SyftboxManager};
use crate::{
    datasite,
    domain::{DatasitePath, Email},
    permissions::{
        Because, Edited, Level, PERMISSION_FILE, Pattern, PermissionFile, PermissionFileError, Permissions,
        Target,
    },
    platform::FileKind,
    wire::{is_syncable, job::is_approval, yaml::MAX_YAML_BYTES},
};

/// What one user may do with a file or folder, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PermissionAnswer {
    /// What it is about, relative to the datasite; `.` for all of it.
    pub path: String,
    /// Who asks.
    pub user: Email,
    /// Whether they may see it.
    pub read: bool,
    /// Whether they may propose other content.
    pub write: bool,
    /// Whether they may see and change its permission files.
    pub admin: bool,
    /// The permission file that decides, relative to the datasite.
    pub file: Option<DatasitePath>,
    /// The pattern of its rule that decides.
    pub pattern: Option<Pattern>,
    /// Why, as a sentence.
    pub why: String,
    /// For a folder: rules and permission files that decide about parts of it.
    pub exceptions: Vec<String>,
}

/// What a grant or a revocation did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PermissionChange {
    /// Whether the permission file is another now.
    pub changed: bool,
    /// The rule that was extended for the user, where only one about more could be: they have the
    /// same wherever it decides.
    pub wider: Option<Pattern>,
    /// What holds now.
    #[serde(flatten)]
    pub now: PermissionAnswer,
}

/// A permission file as it is.
#[derive(Debug)]
pub struct ListedPermissions {
    /// Where it is, relative to the datasite.
    pub path: DatasitePath,
    /// What it says, or why it can't be understood: then all below is the owner's alone.
    pub file: Result<PermissionFile, PermissionFileError>,
}

/// The permission file that decides about a target.
struct Governing {
    folder: String,
    path: DatasitePath,
    file: PermissionFile,
}

impl SyftboxManager {
    /// What `user` may do with `path` of our datasite, and why. A path that ends with `/`, or is a
    /// folder here, is about what is in it; `.` is the whole datasite. The owner's role. No request.
    ///
    /// # Errors
    /// [`ManagerError::RoleNeeded`], [`ManagerError::Path`], or when local files can't be read.
    pub async fn explain_permission(
        &self,
        path: &str,
        user: &Email,
    ) -> Result<PermissionAnswer, ManagerError> {
        self.need_owner("explaining permissions")?;
        let target = self.target(path).await?;
        self.answer(&target, user).await
    }

    /// Lets `user` do `level` with `path`, written as for
    /// [`explain_permission`](Self::explain_permission). Nobody else's access changes: the file that
    /// decides already gets the rule, and a new one is made only where there was none. The owner's
    /// role. No request; the next sync sends what became readable.
    ///
    /// # Errors
    /// [`ManagerError::Permission`] when no single rule can say it, [`ManagerError::NeverSynced`],
    /// [`ManagerError::TakesAdmin`], [`ManagerError::PermissionFile`].
    pub async fn grant_permission(
        &self,
        path: &str,
        user: &Email,
        level: Level,
    ) -> Result<PermissionChange, ManagerError> {
        self.need_owner("giving permissions")?;
        let target = self.changeable(path, level).await?;
        if user == self.email() {
            return self.unchanged(&target, user).await;
        }
        let mut governing = self.governing(&target).await?;
        let edited = governing.file.give(&target.seen_from(&governing.folder), user, level);
        self.change(&target, user, governing, edited).await
    }

    /// Takes `level`, and those that include it, from `user`. What it may do below that level stays,
    /// and so does everybody else's access. What it was sent already stays with it. The owner's role.
    /// No request.
    ///
    /// # Errors
    /// [`ManagerError::Permission`] when the user has it through a rule or an entry that is about
    /// more: that is named. Otherwise as for [`grant_permission`](Self::grant_permission).
    pub async fn revoke_permission(
        &self,
        path: &str,
        user: &Email,
        level: Level,
    ) -> Result<PermissionChange, ManagerError> {
        self.need_owner("taking permissions")?;
        let target = self.changeable(path, Level::Admin).await?;
        let mut governing = self.governing(&target).await?;
        if user == self.email() || governing.file.rules.is_empty() {
            return self.unchanged(&target, user).await;
        }
        let edited = governing.file.take(&target.seen_from(&governing.folder), user, level);
        self.change(&target, user, governing, edited).await
    }

    /// The permission files of our datasite, by path. The owner's role. No request.
    ///
    /// # Errors
    /// When local files can't be read.
    pub async fn permission_files(&self) -> Result<Vec<ListedPermissions>, ManagerError> {
        self.need_owner("listing permissions")?;
        let folder = Self::datasite_folder(self.email())?;
        let local = datasite::local_files(self.files(), &folder).await?;
        let mut listed = Vec::new();
        for (path, _) in local.into_iter().filter(|(path, _)| path.file_name() == PERMISSION_FILE) {
            let local = datasite::in_folder(&folder, &path)?;
            let yaml = self.files().read_at(&local, 0, MAX_YAML_BYTES + 1).await?;
            listed.push(ListedPermissions { file: PermissionFile::parse(&yaml), path });
        }
        Ok(listed)
    }

    async fn target(&self, path: &str) -> Result<Target, ManagerError> {
        let (path, is_folder) = match path.strip_suffix('/') {
            Some(path) => (path, true),
            None => (path, false),
        };
        if path.is_empty() || path == "." {
            return Ok(Target::Folder(None));
        }
        let path: DatasitePath = path.strip_prefix("./").unwrap_or(path).parse()?;
        let local = datasite::in_folder(&Self::datasite_folder(self.email())?, &path)?;
        let stat = self.files().stat(&local).await?;
        let is_folder = is_folder || stat.is_some_and(|stat| stat.kind == FileKind::Folder);
        Ok(if is_folder { Target::Folder(Some(path)) } else { Target::File(path) })
    }

    /// The target of a change, which has to be something that is ever sent.
    async fn changeable(&self, path: &str, level: Level) -> Result<Target, ManagerError> {
        let target = self.target(path).await?;
        match target.path() {
            Some(path) if !is_syncable(path) => Err(ManagerError::NeverSynced(path.clone())),
            Some(path) if path.as_str().ends_with(PERMISSION_FILE) && level < Level::Admin => {
                Err(ManagerError::TakesAdmin(path.clone()))
            }
            _ => Ok(target),
        }
    }

    async fn permissions(&self) -> Result<Permissions, ManagerError> {
        let folder = Self::datasite_folder(self.email())?;
        let local = datasite::local_files(self.files(), &folder).await?;
        Ok(datasite::permissions(self.files(), &folder, &local).await?)
    }

    /// The file that decides about `target`, or, where none does, an empty one as near as can be: it
    /// takes nothing away, since nobody had access.
    async fn governing(&self, target: &Target) -> Result<Governing, ManagerError> {
        let permissions = self.permissions().await?;
        let Some((folder, _)) = permissions.deciding_folder(target) else {
            let near = match target {
                Target::File(path) => path.parent(),
                Target::Folder(path) => path.clone(),
            };
            let folder = near.map(String::from).unwrap_or_default();
            return Ok(Governing {
                path: permission_file_of(&folder)?,
                folder,
                file: PermissionFile::default(),
            });
        };
        let path = permission_file_of(folder)?;
        let local = datasite::in_folder(&Self::datasite_folder(self.email())?, &path)?;
        let file = PermissionFile::parse(&self.files().read(&local, MAX_YAML_BYTES as u64).await?)?;
        Ok(Governing { folder: folder.to_owned(), path, file })
    }

    async fn unchanged(&self, target: &Target, user: &Email) -> Result<PermissionChange, ManagerError> {
        Ok(PermissionChange { changed: false, wider: None, now: self.answer(target, user).await? })
    }

    async fn change(
        &self,
        target: &Target,
        user: &Email,
        governing: Governing,
        edited: Result<Edited, crate::permissions::EditError>,
    ) -> Result<PermissionChange, ManagerError> {
        let Governing { path, file, .. } = governing;
        let edited = edited.map_err(|why| ManagerError::Permission { file: path.clone(), why })?;
        if edited == Edited::Nothing {
            return self.unchanged(target, user).await;
        }
        let local = datasite::in_folder(&Self::datasite_folder(self.email())?, &path)?;
        self.write_text(&local, file.to_yaml()?).await?;
        let wider = if let Edited::Wider(pattern) = edited { Some(pattern) } else { None };
        Ok(PermissionChange { changed: true, wider, now: self.answer(target, user).await? })
    }

    async fn answer(&self, target: &Target, user: &Email) -> Result<PermissionAnswer, ManagerError> {
        let permissions = self.permissions().await?;
        let mut answer = PermissionAnswer {
            path: target.path().map_or_else(|| ".".to_owned(), DatasitePath::to_string),
            user: user.clone(),
            read: false,
            write: false,
            admin: false,
            file: None,
            pattern: None,
            why: String::new(),
            exceptions: Vec::new(),
        };
        if let Some((folder, _)) = permissions.deciding_folder(target).filter(|_| user != self.email()) {
            answer.file = Some(permission_file_of(folder)?);
        }
        match target {
            Target::File(path) => {
                let decide = |level| permissions.decide(user, self.email(), path, level);
                answer.set(decide(Level::Read).because, |level| decide(level).allowed);
            }
            Target::Folder(_) if user == self.email() => answer.set(Because::Owner, |_| true),
            Target::Folder(_) if target.path().is_some_and(is_approval) => {
                answer.set(Because::OwnerAlone, |_| false);
            }
            Target::Folder(_) => self.answer_for_folder(target, user, &permissions, &mut answer).await?,
        }
        if target.path().is_some_and(|path| !is_syncable(path)) {
            answer.why.push_str("; files there are never synced, whatever is permitted");
        }
        Ok(answer)
    }

    async fn answer_for_folder(
        &self,
        target: &Target,
        user: &Email,
        permissions: &Permissions,
        answer: &mut PermissionAnswer,
    ) -> Result<(), ManagerError> {
        let Some((folder, error)) = permissions.deciding_folder(target) else {
            answer.set(Because::NoFile, |_| false);
            return answer.except_files(permissions, target);
        };
        if let Some(error) = error {
            answer.set(Because::Unreadable { folder, error }, |_| false);
            return Ok(());
        }
        let file = self.governing(target).await?.file;
        let deciding = file.deciding(&target.seen_from(folder), user);
        match deciding.rule.map(|at| &file.rules[at]) {
            None => answer.set(Because::NoRule { folder }, |_| false),
            Some(rule) => {
                answer.set(Because::Rule { folder, rule }, |level| rule.access.allows(user, level));
            }
        }
        let parts = deciding.parts.iter().map(|at| format!("the rule for {}", file.rules[*at].pattern));
        answer.exceptions.extend(parts);
        answer.except_files(permissions, target)
    }
}

impl PermissionAnswer {
    fn except_files(&mut self, permissions: &Permissions, target: &Target) -> Result<(), ManagerError> {
        for folder in permissions.folders_in(target) {
            self.exceptions.push(permission_file_of(folder)?.to_string());
        }
        Ok(())
    }

    fn set(&mut self, because: Because<'_>, allows: impl Fn(Level) -> bool) {
        self.read = allows(Level::Read);
        self.write = allows(Level::Write);
        self.admin = allows(Level::Admin);
        self.why = because.to_string();
        if let Because::Rule { rule, .. } = because {
            self.pattern = Some(rule.pattern.clone());
        }
    }
}

fn permission_file_of(folder: &str) -> Result<DatasitePath, ManagerError> {
    Ok(match folder {
        "" => PERMISSION_FILE.parse()?,
        folder => format!("{folder}/{PERMISSION_FILE}").parse()?,
    })
}
