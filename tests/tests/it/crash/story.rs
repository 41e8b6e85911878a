//! The story that every crash is a part of: two people, a dataset, a job, and what becomes of it.

use std::{fs, path::PathBuf, sync::Arc};

use syftbox_core::{
    ManagerError,
    datasets::{Audience, NewDataset, Source},
    jobs::{NewPythonJob, ProcessOptions},
    manager::DeleteOptions,
    sync::SyncOptions,
    wire::job::JobName,
};
use syftbox_runner::native::{Access, StdFiles};
use syftbox_tests::{OWNER, SCIENTIST};

use super::world::{Ended, Step, Who, World};

/// The steps in their order.
pub(crate) fn steps() -> Vec<Step> {
    let step = |name, who, act| Step { name, who, act };
    vec![
        step("the owner logs in", Who::Owner, |_, _| Box::pin(async { Ok(()) })),
        step("the scientist logs in", Who::Scientist, |_, _| Box::pin(async { Ok(()) })),
        step("the scientist asks", Who::Scientist, |manager, _| {
            Box::pin(async { manager.add_peer(&OWNER.parse().unwrap(), false).await.map(drop) })
        }),
        step("the owner approves the peer", Who::Owner, |manager, _| {
            Box::pin(async {
                manager.approve_peer_request(&SCIENTIST.parse().unwrap(), true).await.map(drop)
            })
        }),
        step("the owner creates a dataset", Who::Owner, |manager, world| {
            Box::pin(async { manager.create_dataset(new_dataset(world, "d")).await.map(drop) })
        }),
        step("the owner creates another", Who::Owner, |manager, world| {
            Box::pin(async { manager.create_dataset(new_dataset(world, "other")).await.map(drop) })
        }),
        sync("the scientist fetches it", Who::Scientist),
        step("the scientist submits", Who::Scientist, |manager, world| {
            Box::pin(async {
                manager.submit_python_job(&OWNER.parse().unwrap(), new_job(world)).await.map(drop)
            })
        }),
        sync("the owner receives", Who::Owner),
        step("the owner approves the job", Who::Owner, |manager, _| {
            Box::pin(async { manager.approve_job("job", None).await.map(drop) })
        }),
        step("the owner processes and publishes", Who::Owner, |manager, world| {
            Box::pin(async {
                let options = ProcessOptions {
                    share_outputs_with_submitter: true,
                    share_logs_with_submitter: true,
                    ..Default::default()
                };
                manager.process_approved_jobs(world, &options).await.map(drop)
            })
        }),
        sync("the scientist gets the results", Who::Scientist),
        step("the owner edits files and publishes them", Who::Owner, |manager, world| {
            Box::pin(async {
                edit(world);
                manager.sync(&SyncOptions::default()).await.map(drop)
            })
        }),
        sync("the scientist gets them", Who::Scientist),
        step("the owner shares the dataset with anybody", Who::Owner, |manager, _| {
            Box::pin(async {
                manager.share_dataset(&"d".parse().unwrap(), &Audience::Any, false).await.map(drop)
            })
        }),
        step("the owner deletes the other", Who::Owner, |manager, _| {
            Box::pin(async { manager.delete_dataset(&"other".parse().unwrap(), false).await.map(drop) })
        }),
        sync("the scientist drops it", Who::Scientist),
        step("the owner makes a checkpoint", Who::Owner, |manager, _| {
            Box::pin(async { manager.create_checkpoint().await.map(drop) })
        }),
    ]
}

/// The same, and how it ends.
pub(crate) fn steps_to_the_end() -> Vec<Step> {
    let mut steps = steps();
    steps.push(Step {
        name: "the owner deletes everything",
        who: Who::Owner,
        act: |manager, _| {
            Box::pin(async { manager.delete_syftbox(&DeleteOptions::default()).await.map(drop) })
        },
    });
    steps
}

fn sync(name: &'static str, who: Who) -> Step {
    Step {
        name,
        who,
        act: |manager, _| Box::pin(async { manager.sync(&SyncOptions::default()).await.map(drop) }),
    }
}

/// Both sync until nothing is under way any more.
pub(crate) fn settle(world: &World) {
    for who in [Who::Owner, Who::Scientist, Who::Owner, Who::Scientist] {
        world.do_step(&sync("both sync", who));
    }
}

/// Does again what was cut off, as a person would: what is there already is no failure.
#[track_caller]
pub(crate) fn again(world: &World, step: &Step) {
    match world.play(step, super::fate::Mishap::None).0 {
        Ended::Itself(
            Ok(())
            | Err(
                ManagerError::DatasetExists(_)
                | ManagerError::JobExists(_)
                | ManagerError::NoDataset(_)
                | ManagerError::WrongStatus { .. },
            ),
        ) => {}
        Ended::Itself(Err(error)) => panic!("{} again: {error}", step.name),
        Ended::Killed => unreachable!("nothing kills it"),
    }
}

/// A folder with what a person has lying about.
fn lying_about(world: &World, name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let folder = world.home(Who::Owner).with_file_name(name);
    for (file, content) in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn source(folder: PathBuf) -> Source {
    let shown = folder.display().to_string();
    Source { files: Arc::new(StdFiles::new(folder, Access::Umask)), path: None, shown }
}

fn new_dataset(world: &World, name: &str) -> NewDataset {
    NewDataset {
        name: name.parse().unwrap(),
        mock: source(lying_about(world, "mock", &[("a.csv", b"a\n1\n"), ("b.bin", &[0, 255])])),
        private: source(lying_about(world, "private", &[("a.csv", b"a\n2\n"), ("deep/b", b"")])),
        summary: Some("Some data".to_owned()),
        readme: None,
        tags: Vec::new(),
        audience: Audience::Users(vec![SCIENTIST.parse().unwrap()]),
        upload_private: true,
        sync: false,
    }
}

fn new_job(world: &World) -> NewPythonJob {
    let code = lying_about(
        world,
        "code",
        &[
            ("main.py", b"print(1)\r\n"),
            ("data/b.bin", &[255, 0]),
            ("pkg/__init__.py", b""),
            (".hidden", b"h"),
        ],
    );
    NewPythonJob::new(source(code)).name("job".parse::<JobName>().unwrap())
}

/// A file that the scientist may read, one that it may not, and one that goes again.
fn edit(world: &World) {
    let home = world.home(Who::Owner).join(OWNER);
    fs::create_dir_all(home.join("notes")).unwrap();
    let rules = format!("rules:\n- pattern: 'open*'\n  access:\n    read: [{SCIENTIST}]\n");
    fs::write(home.join("notes/syft.pub.yaml"), rules).unwrap();
    fs::write(home.join("notes/open.bin"), [7, 255, 0]).unwrap();
    fs::write(home.join("notes/closed.txt"), "closed").unwrap();
}
