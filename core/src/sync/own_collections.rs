//! A new machine of an owner fetches its own datasets: they aren't in the event log (wire section 8).

use super::{
    SyncReport,
    collections::{Shared, shared_by},
};
use crate::{
    datasets::{self, Audience},
    domain::DatasitePath,
    drive::{FileId, Grantee},
    manager::{ManagerError, SyftboxManager},
    wire::{
        dataset::{DatasetName, PRIVATE_METADATA_FILE, PrivateMetadata},
        names::SHARED_WITH_ANY_PROPERTY,
        yaml::MAX_YAML_BYTES,
    },
};

impl SyftboxManager {
    /// Fetches the mock halves of our datasets, and the private halves that are kept on Drive. A half that is here
    /// stays as it is. One that can't be had is refused in the report, and the others are fetched.
    pub(super) async fn restore_datasets(&mut self, report: &mut SyncReport) -> Result<(), ManagerError> {
        let me = self.email().clone();
        // The private half first: a dataset is there when its mock half is.
        for private in [true, false] {
            for (name, half) in shared_by(&self.catalog, &me, private) {
                let target = if private {
                    datasets::private_folder(&me, &name)?
                } else {
                    datasets::public_folder(&me, &name)?
                };
                if self.files().stat(&target).await?.is_some() {
                    continue;
                }
                match self.fetch_collection(&half, None).await? {
                    Ok(incoming) => {
                        self.complete_half(&name, &half, private, &incoming).await?;
                        self.files().rename(&incoming, &target).await?;
                        report.datasets_fetched += usize::from(!private);
                    }
                    Err(why) => report.refuse(&me, format!("dataset {}", name.as_str()), &why),
                }
            }
        }
        Ok(())
    }

    /// Adds to a half what isn't on Drive, or was true on another machine.
    async fn complete_half(
        &self,
        name: &DatasetName,
        half: &Shared,
        private: bool,
        incoming: &DatasitePath,
    ) -> Result<(), ManagerError> {
        if !private {
            return self.write_audience(incoming, &self.audience_of(&half.folder).await?).await;
        }
        let file = incoming.join(PRIVATE_METADATA_FILE)?;
        if let Ok(yaml) = self.files().read(&file, MAX_YAML_BYTES as u64).await
            && let Ok(metadata) = PrivateMetadata::parse(&yaml)
        {
            let data_dir = self.private_data_dir(name)?;
            self.write_text(&file, PrivateMetadata { data_dir, ..metadata }.to_yaml()?).await?;
        }
        Ok(())
    }

    /// Who may see a collection of ours, as Drive has it.
    async fn audience_of(&self, folder: &FileId) -> Result<Audience, ManagerError> {
        let properties = self.catalog.get(folder).map(|folder| &folder.app_properties);
        if properties.and_then(|all| all.get(SHARED_WITH_ANY_PROPERTY)).is_some_and(|value| value == "true") {
            return Ok(Audience::Any);
        }
        let permissions = self.drive.permissions(folder).await?;
        let users = permissions.into_iter().filter_map(|permission| match permission.grantee {
            Grantee::User(user) if user != *self.email() => Some(user),
            _ => None,
        });
        Ok(Audience::Users(users.collect()))
    }
}
