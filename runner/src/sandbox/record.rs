//! A job's two log files, with a cap on each.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{LogLine, LogStream, SandboxError, log::LineCutter};

/// Writes what a job says to its files and hands it on in lines.
#[derive(Debug)]
pub(super) struct Record {
    stdout: LogFile,
    stderr: LogFile,
    cap: u64,
}

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    written: u64,
    ends_in_line_end: bool,
    lines: LineCutter,
}

impl Record {
    /// Makes both files, empty.
    pub(super) fn create(stdout: &Path, stderr: &Path, cap: u64) -> Result<Self, SandboxError> {
        Ok(Self {
            stdout: LogFile::create(stdout, LogStream::Stdout)?,
            stderr: LogFile::create(stderr, LogStream::Stderr)?,
            cap,
        })
    }

    /// Takes bytes of a stream. When that brings the stream to more than its cap, of which nothing is
    /// kept, says how many there would be.
    pub(super) fn write(
        &mut self,
        stream: LogStream,
        bytes: &[u8],
        on_log: &mut dyn FnMut(LogLine),
    ) -> Result<Option<u64>, SandboxError> {
        let log = match stream {
            LogStream::Stdout => &mut self.stdout,
            LogStream::Stderr => &mut self.stderr,
        };
        let room = self.cap - log.written;
        let kept = usize::try_from(room).map_or(bytes, |room| &bytes[..bytes.len().min(room)]);
        log.append(kept)?;
        log.lines.push(kept, on_log);
        let more = (bytes.len() - kept.len()) as u64;
        Ok((more > 0).then(|| log.written + more))
    }

    /// Hands on lines that have no end.
    pub(super) fn finish(&mut self, on_log: &mut dyn FnMut(LogLine)) {
        self.stdout.lines.finish(on_log);
        self.stderr.lines.finish(on_log);
    }

    /// Adds the line that says why the job isn't finished.
    pub(super) fn reason(&mut self, reason: &str) -> Result<(), SandboxError> {
        let line_end = if self.stderr.ends_in_line_end { "" } else { "\n" };
        self.stderr.append(format!("{line_end}reason: {reason}\n").as_bytes())
    }
}

impl LogFile {
    fn create(path: &Path, stream: LogStream) -> Result<Self, SandboxError> {
        let create = || -> io::Result<File> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            File::create(path)
        };
        let file = create().map_err(|source| SandboxError::Keep { path: path.to_path_buf(), source })?;
        let lines = LineCutter::new(stream);
        Ok(Self { path: path.to_path_buf(), file, written: 0, ends_in_line_end: true, lines })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), SandboxError> {
        self.file
            .write_all(bytes)
            .map_err(|source| SandboxError::Keep { path: self.path.clone(), source })?;
        self.written += bytes.len() as u64;
        if let Some(last) = bytes.last() {
            self.ends_in_line_end = *last == b'\n';
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_bytes_up_to_the_cap_and_says_when_it_is_passed() {
        let folder = tempfile::tempdir().unwrap();
        let (out, err) = (folder.path().join("new/out"), folder.path().join("err"));
        let mut record = Record::create(&out, &err, 5).unwrap();
        let mut lines = Vec::new();
        let mut on_log = |line: LogLine| lines.push(line.bytes);
        assert_eq!(record.write(LogStream::Stdout, b"\xff1\n2", &mut on_log).unwrap(), None);
        assert_eq!(record.write(LogStream::Stdout, b"345", &mut on_log).unwrap(), Some(7));
        assert_eq!(record.write(LogStream::Stderr, b"five5", &mut on_log).unwrap(), None);
        record.finish(&mut on_log);
        record.reason("log too large").unwrap();
        assert_eq!(std::fs::read(out).unwrap(), b"\xff1\n23");
        assert_eq!(std::fs::read_to_string(err).unwrap(), "five5\nreason: log too large\n");
        assert_eq!(lines, [b"\xff1".to_vec(), b"23".to_vec(), b"five5".to_vec()]);
    }
}
