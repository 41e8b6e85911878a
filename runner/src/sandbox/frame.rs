//! What a job's process tells the runner, over its standard output: pieces of the guest's two
//! streams in the order they were written, and one report at the end.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use super::{exceeded::Exceeded, log::LogStream};

/// One message of a job's process.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// Bytes that the guest wrote.
    Log(LogStream, Vec<u8>),
    /// The guest, which is a stranger's program, is compiled and begins.
    Compiled,
    /// How the guest ended; nothing follows it.
    Report(Report),
}

/// How the guest ended, as its process saw it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) end: GuestEnd,
    /// The most memory it held, in bytes.
    pub(super) peak_memory: u64,
    /// How many instructions its guests executed, where they are counted.
    pub(super) instructions: Option<u64>,
    /// What it was refused last of memory, if it was.
    pub(super) memory_refused: Option<Exceeded>,
    /// What it was refused last of open files, if it was.
    pub(super) files_refused: Option<Exceeded>,
}

/// The guest's own end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum GuestEnd {
    /// It left with this code.
    Exited(i32),
    /// It crashed: a trap of the wasm code, in wasmtime's words.
    Crashed(String),
    /// It went past a limit that ends it.
    Exceeded(Exceeded),
    /// It is a stranger's program and can't be run: it is no WebAssembly, say, or no command.
    NotRunnable(String),
    /// It could not be run, and that isn't its fault.
    Broken(String),
}

const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const REPORT: u8 = 3;
const COMPILED: u8 = 4;

/// The longest payload of a frame. The writer cuts at it, the reader refuses what is longer.
pub(super) const LONGEST_PAYLOAD: usize = 64 << 10;

fn write_frame(to: &mut dyn Write, kind: u8, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut frame = Vec::with_capacity(5 + payload.len());
    frame.push(kind);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(payload);
    to.write_all(&frame)?;
    to.flush()
}

/// Sends what the guest wrote.
pub(super) fn write_log(to: &mut dyn Write, stream: LogStream, bytes: &[u8]) -> io::Result<()> {
    let kind = match stream {
        LogStream::Stdout => STDOUT,
        LogStream::Stderr => STDERR,
    };
    bytes.chunks(LONGEST_PAYLOAD).try_for_each(|piece| write_frame(to, kind, piece))
}

/// Tells that the guest is compiled.
pub(super) fn write_compiled(to: &mut dyn Write) -> io::Result<()> {
    write_frame(to, COMPILED, &[])
}

/// Sends how the guest ended.
pub(super) fn write_report(to: &mut dyn Write, report: &Report) -> io::Result<()> {
    write_frame(to, REPORT, &serde_json::to_vec(report)?)
}

/// Reads the next frame; `None` at the end of the stream, also when it ends within a frame, as it
/// does when the process is killed.
///
/// # Errors
/// When reading fails or the bytes are no frame.
pub(super) fn read_frame(from: &mut dyn Read) -> io::Result<Option<Frame>> {
    let mut head = [0; 5];
    if !read_whole(from, &mut head)? {
        return Ok(None);
    }
    let [kind, length @ ..] = head;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_PAYLOAD {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is too long"));
    }
    let mut payload = vec![0; length];
    if !read_whole(from, &mut payload)? {
        return Ok(None);
    }
    match kind {
        STDOUT => Ok(Some(Frame::Log(LogStream::Stdout, payload))),
        STDERR => Ok(Some(Frame::Log(LogStream::Stderr, payload))),
        COMPILED => Ok(Some(Frame::Compiled)),
        REPORT => Ok(Some(Frame::Report(serde_json::from_slice(&payload)?))),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is of an unknown kind")),
    }
}

fn read_whole(from: &mut dyn Read, into: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::limits::Limit, *};

    #[test]
    fn frames_come_back_as_they_were_sent() {
        let refused = Exceeded::stopped(Limit::Memory, 7);
        let report = Report {
            end: GuestEnd::Exited(3),
            peak_memory: 7,
            instructions: Some(8),
            memory_refused: Some(refused),
            files_refused: None,
        };
        let mut wire = Vec::new();
        write_log(&mut wire, LogStream::Stderr, &vec![9; LONGEST_PAYLOAD + 1]).unwrap();
        write_report(&mut wire, &report).unwrap();
        let mut from = wire.as_slice();
        for expected in [
            Frame::Log(LogStream::Stderr, vec![9; LONGEST_PAYLOAD]),
            Frame::Log(LogStream::Stderr, vec![9]),
            Frame::Report(report),
        ] {
            assert_eq!(read_frame(&mut from).unwrap(), Some(expected));
        }
        assert_eq!(read_frame(&mut from).unwrap(), None);
    }

    #[test]
    fn a_torn_frame_is_an_end_and_a_wrong_one_an_error() {
        assert_eq!(read_frame(&mut &[STDOUT, 4, 0, 0, 0, b'x'][..]).unwrap(), None);
        assert!(read_frame(&mut &[STDOUT, 255, 255, 255, 255][..]).is_err());
        assert!(read_frame(&mut &[9, 0, 0, 0, 0][..]).is_err());
        assert!(read_frame(&mut &[REPORT, 2, 0, 0, 0, b'{', b'}'][..]).is_err());
    }
}
