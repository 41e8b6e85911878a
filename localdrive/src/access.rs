//! Who may see and do what. Access comes from a file's own permissions and from those of every
//! folder above it; the owner of a folder above may write.

use std::{collections::BTreeSet, sync::Arc};

use syftbox_core::domain::Email;

use crate::{
    errors::ApiError,
    store::{FileRecord, Grantee, PermissionRecord, Role, State, now},
};

/// A permission as it works on a file.
#[derive(Clone, Debug)]
pub(crate) struct Effective {
    pub(crate) permission: PermissionRecord,
    /// The folder above that it comes from; none for the file's own.
    pub(crate) inherited_from: Option<String>,
}

/// The file and the folders above it, up to the My Drive.
pub(crate) fn chain<'a>(
    state: &'a State,
    file: &'a Arc<FileRecord>,
) -> impl Iterator<Item = &'a Arc<FileRecord>> {
    std::iter::successors(Some(file), |file| file.parent.as_deref().and_then(|parent| state.file(parent)))
}

fn holds(permission: &PermissionRecord, account: &Email) -> bool {
    match &permission.grantee {
        Grantee::User { email, .. } => email == account,
        Grantee::Domain { domain, .. } => account.domain().eq_ignore_ascii_case(domain),
        Grantee::Anyone { .. } => true,
    }
}

fn is_listed(permission: &PermissionRecord) -> bool {
    match permission.grantee {
        Grantee::User { .. } => true,
        Grantee::Domain { discoverable, .. } | Grantee::Anyone { discoverable } => discoverable,
    }
}

fn is_over(permission: &PermissionRecord) -> bool {
    permission.expires.is_some_and(|end| end <= now())
}

fn strongest(
    state: &State,
    file: &Arc<FileRecord>,
    account: &Email,
    counts: impl Fn(&PermissionRecord) -> bool,
) -> Option<Role> {
    if file.owner == *account {
        return Some(Role::Owner);
    }
    let of = |above: &Arc<FileRecord>| {
        let granted = above.permissions.iter().filter(|p| counts(p) && holds(p, account) && !is_over(p));
        let owned = (above.owner == *account).then_some(Role::Writer);
        granted.map(|permission| permission.role).chain(owned).max()
    };
    chain(state, file).filter_map(of).max()
}

/// What `account` may do with a file, a link to it included; none when it may not know of it.
pub(crate) fn role(state: &State, file: &Arc<FileRecord>, account: &Email) -> Option<Role> {
    strongest(state, file, account, |_| true)
}

/// Whether a search by `account` may find a file: what only a link opens isn't found.
pub(crate) fn is_found(state: &State, file: &Arc<FileRecord>, account: &Email) -> bool {
    strongest(state, file, account, is_listed).is_some()
}

/// The file, if `account` may see it; `root` names its own My Drive.
pub(crate) fn visible<'a>(
    state: &'a State,
    id: &str,
    account: &Email,
) -> Result<&'a Arc<FileRecord>, ApiError> {
    let own = if id == "root" { crate::ids::root(account) } else { id.to_owned() };
    let file = state.file(&own).filter(|file| role(state, file, account).is_some());
    file.ok_or_else(|| ApiError::not_found(id))
}

/// The file, if `account` has at least `needed` on it.
pub(crate) fn allowed<'a>(
    state: &'a State,
    id: &str,
    account: &Email,
    needed: Role,
) -> Result<&'a Arc<FileRecord>, ApiError> {
    let file = visible(state, id, account)?;
    if role(state, file, account) < Some(needed) {
        return Err(ApiError::insufficient());
    }
    Ok(file)
}

/// Whether the file or a folder above it is in the trash.
pub(crate) fn is_trashed(state: &State, file: &Arc<FileRecord>) -> bool {
    chain(state, file).any(|file| file.trashed.is_some())
}

/// All permissions that work on a file, the owner's first; each grantee once, with its strongest role.
pub(crate) fn effective(state: &State, file: &Arc<FileRecord>) -> Vec<Effective> {
    let own = |above: &Arc<FileRecord>, role| PermissionRecord {
        id: crate::ids::permission(above.owner.as_str()),
        grantee: Grantee::User { email: above.owner.clone(), group: false },
        role,
        granted: above.created,
        granted_by: above.owner.clone(),
        expires: None,
    };
    let mut found = vec![Effective { permission: own(file, Role::Owner), inherited_from: None }];
    for above in chain(state, file) {
        let inherited_from = (above.id != file.id).then(|| above.id.clone());
        let owner = inherited_from.is_some().then(|| own(above, Role::Writer));
        for permission in above.permissions.iter().filter(|p| !is_over(p)).cloned().chain(owner) {
            match found.iter_mut().find(|known| known.permission.id == permission.id) {
                Some(known) if known.permission.role >= permission.role => {}
                Some(known) => known.permission.role = permission.role,
                None => found.push(Effective { permission, inherited_from: inherited_from.clone() }),
            }
        }
    }
    found
}

/// The accounts whose changes tell of a file: those whose search finds it.
pub(crate) fn audience(state: &State, id: &str) -> BTreeSet<Email> {
    let mut accounts = BTreeSet::new();
    let Some(file) = state.file(id).filter(|file| !file.is_root()) else { return accounts };
    for above in chain(state, file) {
        accounts.insert(above.owner.clone());
        for permission in &above.permissions {
            match &permission.grantee {
                Grantee::User { email, .. } => drop(accounts.insert(email.clone())),
                _ if !is_listed(permission) => {}
                _ => accounts.extend(state.accounts().filter(|account| holds(permission, account)).cloned()),
            }
        }
    }
    accounts
}
