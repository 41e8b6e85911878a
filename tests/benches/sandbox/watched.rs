//! The memory of a job's process, as Linux tells it while the job runs.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The largest sizes that were seen of a process's pages, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pages {
    /// Those that belong to it alone, the guest's memory among them.
    pub(crate) anonymous: u64,
    /// Those of files: the program, the compiled runtime.
    pub(crate) file: u64,
}

/// A look at this process's children, every few milliseconds.
pub(crate) struct Watched {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Pages>,
}

impl Watched {
    pub(crate) fn start() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut most = Pages::default();
            while !seen.load(Ordering::Relaxed) {
                for child in children() {
                    let pages = pages_of(child).unwrap_or_default();
                    most.anonymous = most.anonymous.max(pages.anonymous);
                    most.file = most.file.max(pages.file);
                }
                thread::sleep(Duration::from_millis(5));
            }
            most
        });
        Self { over, thread }
    }

    pub(crate) fn finish(self) -> Pages {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn children() -> Vec<u32> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect()
}

fn pages_of(process: u32) -> Option<Pages> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
    };
    Some(Pages { anonymous: field("RssAnon:")?, file: field("RssFile:")? })
}
