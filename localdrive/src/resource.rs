//! How files, people and permissions look in answers. Only what a selection wants is computed.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use syftbox_core::domain::Email;

use crate::{
    access::{self, Effective},
    fields::Mask,
    ids, query,
    store::{FileRecord, Grantee, Millis, Role, State},
};

/// For whom an answer is.
pub(crate) struct Viewer<'a> {
    pub(crate) state: &'a State,
    pub(crate) account: &'a Email,
    /// The server's own address, for links.
    pub(crate) base: &'a str,
}

/// An object of which only the selected members are made.
struct Object<'m> {
    mask: &'m Mask,
    members: Map<String, Value>,
}

impl Object<'_> {
    fn set(&mut self, name: &str, value: impl FnOnce() -> Value) {
        let wanted = match self.mask {
            Mask::All => true,
            Mask::Members(members) => members.contains_key(name) || members.contains_key("*"),
        };
        if wanted {
            let value = value();
            if !value.is_null() {
                self.members.insert(name.to_owned(), value);
            }
        }
    }
}

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn time(millis: Millis) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// A person as everybody sees them.
pub(crate) fn user(account: &Email, viewer: &Email) -> Value {
    let name = account.as_str().split('@').next().unwrap_or_default();
    json!({
        "kind": "drive#user",
        "displayName": name,
        "me": account == viewer,
        "permissionId": ids::permission(account.as_str()),
        "emailAddress": account,
    })
}

/// A permission as it works on a file.
pub(crate) fn permission(effective: &Effective) -> Value {
    let permission = &effective.permission;
    let mut json = json!({
        "kind": "drive#permission",
        "id": permission.id,
        "role": permission.role.name(),
    });
    match &permission.grantee {
        Grantee::User { email, group } => {
            json["type"] = if *group { "group" } else { "user" }.into();
            json["emailAddress"] = email.as_str().into();
            json["displayName"] = email.as_str().split('@').next().into();
            json["deleted"] = false.into();
            json["pendingOwner"] = false.into();
        }
        Grantee::Domain { domain, discoverable } => {
            json["type"] = "domain".into();
            json["domain"] = domain.as_str().into();
            json["displayName"] = domain.as_str().into();
            json["allowFileDiscovery"] = (*discoverable).into();
        }
        Grantee::Anyone { discoverable } => {
            json["type"] = "anyone".into();
            json["allowFileDiscovery"] = (*discoverable).into();
        }
    }
    if let Some(end) = permission.expires {
        json["expirationTime"] = time(end).into();
    }
    if let Some(folder) = &effective.inherited_from {
        let role = permission.role.name();
        json["permissionDetails"] =
            json!([{"permissionType": "file", "role": role, "inherited": true, "inheritedFrom": folder}]);
    }
    json
}

impl Viewer<'_> {
    /// A file as the viewer sees it.
    pub(crate) fn file(&self, file: &Arc<FileRecord>, mask: &Mask) -> Value {
        let mut object = Object { mask, members: Map::new() };
        self.identity(file, &mut object);
        self.times(file, &mut object);
        self.people(file, &mut object);
        content(file, &mut object);
        let mut value = Value::Object(object.members);
        mask.apply(&mut value);
        value
    }

    fn identity(&self, file: &Arc<FileRecord>, object: &mut Object<'_>) {
        let (state, me) = (self.state, self.account);
        object.set("kind", || "drive#file".into());
        object.set("id", || file.id.as_str().into());
        object.set("name", || file.name.as_str().into());
        object.set("mimeType", || file.mime_type.as_str().into());
        object.set("description", || json!(file.details.description));
        object.set("folderColorRgb", || json!(file.details.folder_color_rgb));
        object.set("parents", || {
            let parent = file.parent.as_deref().and_then(|parent| state.file(parent));
            let seen = parent.filter(|parent| access::role(state, parent, me).is_some());
            seen.map_or(Value::Null, |parent| json!([parent.id]))
        });
        object.set("spaces", || json!(["drive"]));
        object.set("starred", || file.starred_by.contains(me).into());
        object.set("trashed", || access::is_trashed(state, file).into());
        object.set("explicitlyTrashed", || file.trashed.is_some().into());
        object.set("properties", || some_map(&file.properties));
        object.set("appProperties", || some_map(&file.app_properties));
        object.set("version", || file.version.to_string().into());
        object.set("isAppAuthorized", || true.into());
        object.set("webViewLink", || {
            let kind = if file.is_folder() { "drive/folders" } else { "file/d" };
            format!("{}/{kind}/{}", self.base, file.id).into()
        });
        object.set("writersCanShare", || file.details.writers_can_share.unwrap_or(true).into());
        let restricted = file.details.copy_requires_writer_permission.unwrap_or(false);
        object.set("copyRequiresWriterPermission", || restricted.into());
        object.set("viewersCanCopyContent", || (!restricted).into());
    }

    fn times(&self, file: &FileRecord, object: &mut Object<'_>) {
        let me = self.account;
        let some = |at: Option<Millis>| at.map_or(Value::Null, |at| time(at).into());
        object.set("createdTime", || time(file.created).into());
        object.set("modifiedTime", || time(file.modified).into());
        object.set("modifiedByMe", || file.modified_times.contains_key(me).into());
        object.set("modifiedByMeTime", || some(file.modified_times.get(me).copied()));
        object.set("viewedByMe", || file.viewed_times.contains_key(me).into());
        object.set("viewedByMeTime", || some(file.viewed_times.get(me).copied()));
        object.set("sharedWithMeTime", || some(query::shared_time(file, me)));
        object.set("trashedTime", || some(file.trashed.as_ref().map(|trashed| trashed.at)));
        object.set("trashingUser", || file.trashed.as_ref().map_or(Value::Null, |t| user(&t.by, me)));
    }

    fn people(&self, file: &Arc<FileRecord>, object: &mut Object<'_>) {
        let (state, me) = (self.state, self.account);
        let role = access::role(state, file, me);
        let shares = role >= Some(Role::Writer);
        object.set("owners", || json!([user(&file.owner, me)]));
        object.set("ownedByMe", || (file.owner == *me).into());
        object.set("lastModifyingUser", || user(&file.modified_by, me));
        object.set("sharingUser", || {
            let mine = file.permissions.iter().find(|p| p.id == ids::permission(me.as_str()));
            mine.map_or(Value::Null, |permission| user(&permission.granted_by, me))
        });
        object.set("shared", || (access::effective(state, file).len() > 1).into());
        object.set("permissions", || {
            if !shares {
                return Value::Null;
            }
            access::effective(state, file).iter().map(permission).collect()
        });
        object.set("permissionIds", || {
            if !shares {
                return Value::Null;
            }
            access::effective(state, file).into_iter().map(|effective| effective.permission.id).collect()
        });
        object.set("capabilities", || capabilities(file, role));
    }
}

fn some_map(map: &std::collections::BTreeMap<String, String>) -> Value {
    if map.is_empty() { Value::Null } else { json!(map) }
}

fn capabilities(file: &FileRecord, role: Option<Role>) -> Value {
    let (reads, writes) = (role.is_some(), role >= Some(Role::Writer));
    let owns = role == Some(Role::Owner) && !file.is_root();
    let folder = file.is_folder();
    json!({
        "canAddChildren": folder && writes,
        "canComment": role >= Some(Role::Commenter),
        "canCopy": reads && !folder,
        "canDelete": owns,
        "canDownload": reads && !folder,
        "canEdit": writes,
        "canListChildren": folder && reads,
        "canModifyContent": writes,
        "canMoveItemWithinDrive": writes && !file.is_root(),
        "canReadRevisions": false,
        "canRemoveChildren": folder && writes,
        "canRename": writes,
        "canShare": role == Some(Role::Owner) || writes && file.details.writers_can_share.unwrap_or(true),
        "canTrash": owns,
        "canUntrash": owns,
    })
}

fn content(file: &FileRecord, object: &mut Object<'_>) {
    object.set("quotaBytesUsed", || file.size().to_string().into());
    let Some(content) = &file.content else { return };
    object.set("size", || content.size.to_string().into());
    object.set("md5Checksum", || content.md5.as_str().into());
    object.set("sha256Checksum", || content.sha256.as_str().into());
    object.set("headRevisionId", || content.body.as_str().into());
    let original = file.details.original_filename.as_deref().unwrap_or(&file.name);
    object.set("originalFilename", || original.into());
    let extension = |full: bool| {
        let found = if full { file.name.split_once('.') } else { file.name.rsplit_once('.') };
        found.map_or("", |(_, extension)| extension).into()
    };
    object.set("fileExtension", || extension(false));
    object.set("fullFileExtension", || extension(true));
    object.set("hasThumbnail", || false.into());
}
