//! The members that Google's API description gives each resource, in the language of [`Mask`]: a
//! selection of anything else is refused, as Google does.

use std::sync::LazyLock;

use crate::fields::Mask;

/// `files` resource.
pub(crate) static FILE: LazyLock<Mask> = LazyLock::new(|| known(FILE_MEMBERS));

/// `files.list`.
pub(crate) static FILE_LIST: LazyLock<Mask> =
    LazyLock::new(|| known(&format!("incompleteSearch,kind,nextPageToken,files({FILE_MEMBERS})")));

/// `permissions` resource.
pub(crate) static PERMISSION: LazyLock<Mask> = LazyLock::new(|| known(PERMISSION_MEMBERS));

/// `permissions.list`.
pub(crate) static PERMISSION_LIST: LazyLock<Mask> =
    LazyLock::new(|| known(&format!("kind,nextPageToken,permissions({PERMISSION_MEMBERS})")));

/// `changes.list`.
pub(crate) static CHANGE_LIST: LazyLock<Mask> = LazyLock::new(|| {
    known(&format!(
        "kind,newStartPageToken,nextPageToken,\
         changes(changeType,drive,driveId,fileId,kind,removed,teamDrive,teamDriveId,time,type,file({FILE_MEMBERS}))"
    ))
});

/// `about` resource.
pub(crate) static ABOUT: LazyLock<Mask> = LazyLock::new(|| known(ABOUT_MEMBERS));

/// `files.generateIds`.
pub(crate) static GENERATED_IDS: LazyLock<Mask> = LazyLock::new(|| known("ids,kind,space"));

/// `changes.getStartPageToken`.
pub(crate) static START_PAGE_TOKEN: LazyLock<Mask> = LazyLock::new(|| known("kind,startPageToken"));

/// A text below that doesn't parse would leave its resource without the check, and the test would fail.
fn known(members: &str) -> Mask {
    Mask::parse(members).unwrap_or(Mask::All)
}

const FILE_MEMBERS: &str = "\
    appProperties,capabilities(canAcceptOwnership,canAccessViaGenAi,canAddChildren,\
    canAddFolderFromAnotherDrive,canAddMyDriveParent,canChangeCopyRequiresWriterPermission,\
    canChangeItemDownloadRestriction,canChangeSecurityUpdateEnabled,canChangeViewersCanCopyContent,\
    canComment,canCopy,canDelete,canDeleteChildren,canDisableInheritedPermissions,canDownload,\
    canEdit,canEnableInheritedPermissions,canListChildren,canModifyContent,\
    canModifyContentRestriction,canModifyEditorContentRestriction,canModifyLabels,\
    canModifyOwnerContentRestriction,canMoveChildrenOutOfDrive,canMoveChildrenOutOfTeamDrive,\
    canMoveChildrenWithinDrive,canMoveChildrenWithinTeamDrive,canMoveItemIntoTeamDrive,\
    canMoveItemOutOfDrive,canMoveItemOutOfTeamDrive,canMoveItemWithinDrive,\
    canMoveItemWithinTeamDrive,canMoveTeamDriveItem,canReadDrive,canReadLabels,canReadRevisions,\
    canReadTeamDrive,canRemoveChildren,canRemoveContentRestriction,canRemoveMyDriveParent,\
    canRename,canShare,canStartApproval,canTrash,canTrashChildren,canUntrash),\
    clientEncryptionDetails(decryptionMetadata(aes256GcmChunkSize,encryptionResourceKeyHash,jwt,\
    kaclsId,kaclsName,keyFormat,wrappedKey),encryptionState),contentHints(indexableText,\
    thumbnail(image,mimeType)),contentRestrictions(ownerRestricted,readOnly,reason,\
    restrictingUser(displayName,emailAddress,kind,me,permissionId,photoLink),restrictionTime,\
    systemRestricted,type),copyRequiresWriterPermission,createdTime,description,\
    downloadRestrictions(effectiveDownloadRestrictionWithContext(restrictedForReaders,\
    restrictedForWriters),itemDownloadRestriction(restrictedForReaders,restrictedForWriters)),\
    driveId,explicitlyTrashed,exportLinks,fileExtension,folderColorRgb,fullFileExtension,\
    hasAugmentedPermissions,hasThumbnail,headRevisionId,iconLink,id,imageMediaMetadata(aperture,\
    cameraMake,cameraModel,colorSpace,exposureBias,exposureMode,exposureTime,flashUsed,\
    focalLength,height,isoSpeed,lens,location(altitude,latitude,longitude),maxApertureValue,\
    meteringMode,rotation,sensor,subjectDistance,time,whiteBalance,width),\
    inheritedPermissionsDisabled,isAppAuthorized,kind,labelInfo(labels(fields,id,kind,\
    revisionId)),lastModifyingUser(displayName,emailAddress,kind,me,permissionId,photoLink),\
    linkShareMetadata(securityUpdateEligible,securityUpdateEnabled),md5Checksum,mimeType,\
    modifiedByMe,modifiedByMeTime,modifiedTime,name,originalFilename,ownedByMe,\
    owners(displayName,emailAddress,kind,me,permissionId,photoLink),parents,permissionIds,\
    permissions(allowFileDiscovery,deleted,displayName,domain,emailAddress,expirationTime,id,\
    inheritedPermissionsDisabled,kind,pendingOwner,permissionDetails(inherited,inheritedFrom,\
    permissionType,role),photoLink,role,teamDrivePermissionDetails(inherited,inheritedFrom,role,\
    teamDrivePermissionType),type,view),properties,quotaBytesUsed,resourceKey,sha1Checksum,\
    sha256Checksum,shared,sharedWithMeTime,sharingUser(displayName,emailAddress,kind,me,\
    permissionId,photoLink),shortcutDetails(targetId,targetMimeType,targetResourceKey),size,\
    spaces,starred,teamDriveId,thumbnailLink,thumbnailVersion,trashed,trashedTime,\
    trashingUser(displayName,emailAddress,kind,me,permissionId,photoLink),version,\
    videoMediaMetadata(durationMillis,height,width),viewedByMe,viewedByMeTime,\
    viewersCanCopyContent,webContentLink,webViewLink,writersCanShare";

const PERMISSION_MEMBERS: &str = "\
    allowFileDiscovery,deleted,displayName,domain,emailAddress,expirationTime,id,\
    inheritedPermissionsDisabled,kind,pendingOwner,permissionDetails(inherited,inheritedFrom,\
    permissionType,role),photoLink,role,teamDrivePermissionDetails(inherited,inheritedFrom,role,\
    teamDrivePermissionType),type,view";

const ABOUT_MEMBERS: &str = "\
    appInstalled,canCreateDrives,canCreateTeamDrives,driveThemes(backgroundImageLink,colorRgb,\
    id),exportFormats,folderColorPalette,importFormats,kind,maxImportSizes,maxUploadSize,\
    storageQuota(limit,usage,usageInDrive,usageInDriveTrash),teamDriveThemes(backgroundImageLink,\
    colorRgb,id),user(displayName,emailAddress,kind,me,permissionId,photoLink)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_parses() {
        for schema in [
            &FILE,
            &FILE_LIST,
            &PERMISSION,
            &PERMISSION_LIST,
            &CHANGE_LIST,
            &ABOUT,
            &GENERATED_IDS,
            &START_PAGE_TOKEN,
        ] {
            assert!(matches!(&**schema, Mask::Members(_)));
        }
        Mask::parse("permissions/emailAddress,owners(me),capabilities/canEdit")
            .unwrap()
            .check(&FILE)
            .unwrap();
    }
}
