//! What the kernel keeps from a job's process, should WebAssembly not hold: Landlock leaves it the job's files
//! and no others, seccomp takes the calls that reach beyond it. Either is there or isn't; a job runs the same.

use std::path::Path;

/// Which of the two this kernel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelLayers {
    /// Landlock, from its second version on: the first can't rename from folder to folder.
    pub landlock: bool,
    /// Filters of system calls.
    pub seccomp: bool,
}

impl KernelLayers {
    /// Asks this machine's kernel.
    #[must_use]
    pub fn here() -> Self {
        system::available()
    }
}

/// What a job's process may still open.
pub(super) struct Files<'a> {
    pub(super) read: Vec<&'a Path>,
    pub(super) write: Vec<&'a Path>,
}

/// Gives up all else, for this thread and those that it starts from now on.
///
/// # Errors
/// When the kernel has a layer and refuses to use it: then no job may run in this process.
pub(super) fn confine(files: &Files<'_>) -> std::io::Result<()> {
    system::confine(files)
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Files, KernelLayers};

    pub(super) fn available() -> KernelLayers {
        KernelLayers { landlock: false, seccomp: false }
    }

    #[allow(clippy::unnecessary_wraps, reason = "what Linux has can fail")]
    pub(super) fn confine(_: &Files<'_>) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::{collections::BTreeMap, io, path::Path, process};

    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, TargetArch, apply_filter,
    };

    use super::{super::landlock, Files, KernelLayers};

    /// Calls that no job's process has a use for, and that reach other processes, the network or the machine.
    /// Links and special files are among them: preview 1 refuses them itself, and so no component makes one.
    const REFUSED: &[i64] = &[
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_getfd,
        libc::SYS_pidfd_send_signal,
        libc::SYS_kcmp,
        // Its calls pass no filter.
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_open_by_handle_at,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_kexec_load,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_acct,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_shmget,
        libc::SYS_shmat,
        libc::SYS_msgget,
        libc::SYS_semget,
        libc::SYS_mq_open,
        libc::SYS_linkat,
        libc::SYS_symlinkat,
        libc::SYS_mknodat,
        libc::SYS_fchmodat,
        libc::SYS_fchownat,
    ];

    /// The same by names that only this machine has.
    #[cfg(target_arch = "x86_64")]
    const REFUSED_HERE: &[i64] = &[
        libc::SYS_fork,
        libc::SYS_vfork,
        libc::SYS_link,
        libc::SYS_symlink,
        libc::SYS_mknod,
        libc::SYS_chmod,
        libc::SYS_chown,
        libc::SYS_lchown,
    ];
    #[cfg(not(target_arch = "x86_64"))]
    const REFUSED_HERE: &[i64] = &[];

    pub(super) fn available() -> KernelLayers {
        KernelLayers {
            landlock: landlock::version().is_some(),
            seccomp: architecture().is_some() && Path::new("/proc/sys/kernel/seccomp/actions_avail").exists(),
        }
    }

    pub(super) fn confine(files: &Files<'_>) -> io::Result<()> {
        let KernelLayers { landlock, seccomp } = available();
        if landlock {
            landlock::restrict(files)?;
        }
        if let (true, Some(architecture)) = (seccomp, architecture()) {
            for filter in filters(architecture).map_err(io::Error::other)? {
                apply_filter(&filter).map_err(io::Error::other)?;
            }
        }
        Ok(())
    }

    fn architecture() -> Option<TargetArch> {
        std::env::consts::ARCH.try_into().ok()
    }

    /// Two, since each has one answer: "not permitted", and for `clone3`, whose flags no filter sees, "no such
    /// call", after which the C library calls `clone`.
    fn filters(architecture: TargetArch) -> Result<[BpfProgram; 2], seccompiler::BackendError> {
        let mut refused: BTreeMap<i64, Vec<SeccompRule>> =
            REFUSED.iter().chain(REFUSED_HERE).map(|call| (*call, Vec::new())).collect();
        let thread = u64::from(libc::CLONE_THREAD.cast_unsigned());
        // A new thread is fine, a new process isn't.
        refused.insert(libc::SYS_clone, when(0, SeccompCmpOp::MaskedEq(thread), 0)?);
        // So is a signal to this process itself.
        let me = u64::from(process::id());
        refused.insert(libc::SYS_kill, when(0, SeccompCmpOp::Ne, me)?);
        refused.insert(libc::SYS_tgkill, when(0, SeccompCmpOp::Ne, me)?);
        refused.insert(libc::SYS_tkill, Vec::new());
        let no_such_call = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
        Ok([filter(refused, libc::EPERM, architecture)?, filter(no_such_call, libc::ENOSYS, architecture)?])
    }

    fn when(
        argument: u8,
        is: SeccompCmpOp,
        value: u64,
    ) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value)?;
        Ok(vec![SeccompRule::new(vec![condition])?])
    }

    fn filter(
        rules: BTreeMap<i64, Vec<SeccompRule>>,
        answer: i32,
        architecture: TargetArch,
    ) -> Result<BpfProgram, seccompiler::BackendError> {
        let answer = SeccompAction::Errno(answer.cast_unsigned());
        SeccompFilter::new(rules, SeccompAction::Allow, answer, architecture)?.try_into()
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::{
        fs, io, net,
        os::unix::{net::UnixStream, process::CommandExt},
        process::Command,
        thread,
    };

    use super::*;

    /// What a thread gets that gave up all but two folders: for each attempt its name and whether it worked.
    fn attempts() -> Vec<(&'static str, bool)> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_path_buf();
        let at = move |name: &str| root.join(name);
        for name in ["code", "outputs", "other"] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("file"), name).unwrap();
        }
        let (code, outputs) = (at("code"), at("outputs"));
        let confined = move || {
            confine(&Files { read: vec![&code], write: vec![&outputs] }).unwrap();
            let moved = || {
                fs::create_dir(at("outputs/a"))?;
                fs::rename(at("outputs/file"), at("outputs/a/file"))
            };
            let said = |done: io::Result<()>| done.is_ok();
            vec![
                ("read code", fs::read(at("code/file")).is_ok()),
                ("write outputs", said(fs::write(at("outputs/new"), "x"))),
                ("move in outputs", said(moved())),
                ("remove in outputs", said(fs::remove_file(at("outputs/new")))),
                ("a thread", thread::Builder::new().spawn(|| ()).is_ok()),
                ("write code", said(fs::write(at("code/file"), "x"))),
                ("read other", fs::read(at("other/file")).is_ok()),
                ("list other", fs::read_dir(at("other")).is_ok()),
                ("read passwd", fs::read("/etc/passwd").is_ok()),
                ("truncate other", said(fs::File::create(at("other/file")).map(|_| ()))),
                ("remove other", said(fs::remove_file(at("other/file")))),
                ("a socket", net::TcpListener::bind("127.0.0.1:0").is_ok()),
                ("a datagram", net::UdpSocket::bind("127.0.0.1:0").is_ok()),
                ("a local socket", UnixStream::connect(at("other/socket")).is_ok()),
                ("another process", Command::new("/bin/true").spawn().is_ok()),
                // Were it to work, this test would be gone, and so have failed.
                ("another program", {
                    let _: io::Error = Command::new("/bin/false").exec();
                    false
                }),
                ("a link", std::os::unix::fs::symlink("/", at("outputs/root")).is_ok()),
                ("a second name", fs::hard_link(at("code/file"), at("outputs/hard")).is_ok()),
                ("a signal", rustix::process::test_kill_process(rustix::process::Pid::INIT).is_ok()),
            ]
        };
        thread::spawn(confined).join().unwrap()
    }

    #[test]
    fn a_confined_thread_keeps_its_files_and_loses_all_else() {
        let KernelLayers { landlock, seccomp } = KernelLayers::here();
        let by_landlock =
            ["write code", "read other", "list other", "read passwd", "truncate other", "remove other"];
        let by_either = ["a socket", "another process", "another program", "a link", "a second name"];
        for (attempt, worked) in attempts() {
            let refused = match attempt {
                attempt if by_landlock.contains(&attempt) => landlock,
                attempt if by_either.contains(&attempt) => landlock || seccomp,
                "a datagram" | "a local socket" | "a signal" => seccomp,
                _ => {
                    assert!(worked, "{attempt}");
                    continue;
                }
            };
            assert!(!refused || !worked, "{attempt} worked");
        }
    }

    #[test]
    fn what_the_kernel_has_is_what_it_uses() {
        let confined = || {
            confine(&Files { read: Vec::new(), write: Vec::new() }).unwrap();
            let landlock = fs::read("/etc/passwd").is_err();
            let seccomp = net::UdpSocket::bind("127.0.0.1:0").is_err();
            KernelLayers { landlock, seccomp }
        };
        assert_eq!(thread::spawn(confined).join().unwrap(), KernelLayers::here());
    }
}
