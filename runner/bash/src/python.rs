//! `python3` in a script: the sandbox starts the Python runtime beside this program, under the limits
//! of the same job, and the two streams and the input of both are joined here.

use std::{collections::BTreeMap, io, path::Path, time::Duration};

use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};
use serde::Serialize;

/// How long to wait when Python has nothing to say and wants nothing. Other parts of a pipeline go on
/// meanwhile.
const PAUSE: Duration = Duration::from_millis(1);
/// The most that comes from Python at once, in bytes.
const PIECE: usize = 64 << 10;

/// The calls of the sandbox.
mod host {
    #[link(wasm_import_module = "syftbox")]
    unsafe extern "C" {
        /// Starts Python as a JSON document says; gives its number, or -1 when as many run as may.
        pub(super) fn python_start(request: *const u8, length: usize) -> i32;
        /// What Python did since: its kind in the upper half, a length or an exit code in the lower.
        pub(super) fn python_next(number: i32, buffer: *mut u8, length: usize) -> i64;
        /// Gives Python input; nothing means that there is no more.
        pub(super) fn python_feed(number: i32, bytes: *const u8, length: usize);
        /// Lets go of Python; it ends at its next word when it hasn't ended.
        pub(super) fn python_drop(number: i32);
    }
}

/// What the sandbox needs to know to start Python.
#[derive(Serialize)]
struct Request<'a> {
    /// The working directory.
    directory: &'a str,
    /// What comes first on `sys.path`.
    path: String,
    /// What Python is called with, but for its own name.
    arguments: Vec<String>,
    environment: BTreeMap<&'a str, &'a str>,
}

/// The command `python3`.
pub(crate) struct Python;

#[async_trait]
impl Command for Python {
    async fn execute(&self, context: CommandContext<'_>) -> Result<CommandStatus> {
        let (path, arguments) = match command_line(context.args) {
            Ok(parsed) => parsed,
            Err(option) => {
                let message = format!("{}: the option {option} isn't there in the sandbox\n", context.name);
                context.stderr.write_all(message.as_bytes()).await?;
                return Ok(CommandStatus::with_code(2));
            }
        };
        let request = Request {
            directory: context.cwd.to_str().unwrap_or("/"),
            path,
            arguments,
            environment: context.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        };
        let request = serde_json::to_vec(&request).map_err(io::Error::from)?;
        let running = loop {
            match Running::start(&request) {
                Some(running) => break running,
                None => tokio::time::sleep(PAUSE).await,
            }
        };
        let mut buffer = vec![0; PIECE];
        let mut read = false;
        loop {
            match running.next(&mut buffer) {
                Event::Nothing => tokio::time::sleep(PAUSE).await,
                Event::Stdout(length) => context.stdout.write_all(&buffer[..length]).await?,
                Event::Stderr(length) => context.stderr.write_all(&buffer[..length]).await?,
                Event::WantsInput => {
                    read = true;
                    running.feed(&context.stdin.read_chunk().await?.unwrap_or_default());
                }
                Event::Ended(code) => {
                    if !read {
                        warn_of_lost_input(&context).await?;
                    }
                    return Ok(CommandStatus::with_code(code));
                }
            }
        }
    }
}

/// In a loop that reads from a pipe, bashkit gives the pipe to the first command that could read it, and
/// what that leaves is gone. Bash would give it to the loop's next round.
async fn warn_of_lost_input(context: &CommandContext<'_>) -> Result<()> {
    let lost = tokio::time::timeout(Duration::ZERO, context.stdin.read_chunk()).await;
    if matches!(lost, Ok(Ok(Some(_)))) {
        let words: &[u8] =
            b"python3: its input is lost; write `python3 ... < /dev/null` to leave it to the loop around\n";
        context.stderr.write_all(words).await?;
    }
    Ok(())
}

/// A Python that runs.
struct Running(i32);

enum Event {
    Nothing,
    Stdout(usize),
    Stderr(usize),
    WantsInput,
    Ended(i32),
}

impl Running {
    fn start(request: &[u8]) -> Option<Self> {
        // SAFETY: the sandbox reads these bytes during the call.
        let number = unsafe { host::python_start(request.as_ptr(), request.len()) };
        (number >= 0).then_some(Self(number))
    }

    fn next(&self, buffer: &mut [u8]) -> Event {
        // SAFETY: the sandbox writes at most as many bytes as the buffer has.
        let said = unsafe { host::python_next(self.0, buffer.as_mut_ptr(), buffer.len()) };
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of one number")]
        let (kind, value) = ((said >> 32) as i32, said as i32);
        let length = usize::try_from(value).unwrap_or_default().min(buffer.len());
        match kind {
            1 => Event::Stdout(length),
            2 => Event::Stderr(length),
            3 => Event::WantsInput,
            4 => Event::Ended(value),
            _ => Event::Nothing,
        }
    }

    fn feed(&self, bytes: &[u8]) {
        // SAFETY: the sandbox reads these bytes during the call.
        unsafe { host::python_feed(self.0, bytes.as_ptr(), bytes.len()) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: no pointer goes along.
        unsafe { host::python_drop(self.0) }
    }
}

/// Takes a command line of Python apart: what goes first on `sys.path`, and the arguments without the
/// options that mean nothing here.
///
/// # Errors
/// The option that Python would have obeyed and the sandbox's doesn't have.
fn command_line(arguments: &[String]) -> std::result::Result<(String, Vec<String>), String> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let following = || rest.as_slice().iter().cloned();
        let with = |first: &str| std::iter::once(first.to_owned()).chain(following()).collect();
        match argument.as_str() {
            "-c" | "-m" => return Ok((String::new(), with(argument))),
            "-" => return Ok((String::new(), with("-"))),
            "-V" | "--version" => return Ok((String::new(), vec!["-V".to_owned()])),
            // Output is never held back, nothing is compiled to files, and there is no site to be
            // isolated from.
            "-u" | "-B" | "-E" | "-s" | "-S" | "-I" | "-q" | "-O" | "-OO" | "-P" => {}
            "-W" | "-X" => {
                rest.next();
            }
            option if option.starts_with("-W") || option.starts_with("-X") => {}
            option if option.starts_with('-') => return Err(option.to_owned()),
            script => {
                let folder = Path::new(script).parent().unwrap_or(Path::new(""));
                return Ok((folder.to_string_lossy().into_owned(), with(script)));
            }
        }
    }
    Ok((String::new(), vec!["-".to_owned()]))
}
