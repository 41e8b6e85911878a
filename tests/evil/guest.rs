//! A hostile guest: a file of `guests/`, whose first comments say what it tries and what has to come of it.

use std::{fs, path::Path, time::Duration};

use syftbox_runner::sandbox::Limits;

/// How a guest may end, in the words of its `expect:` line.
const ENDINGS: [&str; 8] = [
    "finished",
    "failed",
    "timed out",
    "out of memory",
    "output too large",
    "log too large",
    "broken",
    "not started",
];

/// A hostile guest and what it says of itself.
#[derive(Debug)]
pub(crate) struct Guest {
    /// The file's name.
    pub(crate) name: String,
    /// The whole file.
    pub(crate) text: String,
    /// What it tries, in a sentence.
    pub(crate) tries: String,
    /// The endings that are right: see `ENDINGS`, and `failed 1` for a return code.
    pub(crate) expect: Vec<String>,
    /// What the outcome's reason has to contain.
    pub(crate) because: Vec<String>,
    /// What one of the logs has to contain.
    pub(crate) says: Vec<String>,
    /// What no log and no output may contain.
    pub(crate) hides: Vec<String>,
    /// The outputs that are collected, sorted; `None` when they don't matter.
    pub(crate) leaves: Option<Vec<String>>,
    /// What lies beside it in its code.
    pub(crate) with: Vec<Beside>,
    /// The limits that it runs under.
    pub(crate) limits: Limits,
    /// The bytes that its program is padded to, with zeros.
    pub(crate) pad: Option<u64>,
}

/// Something in a guest's code that isn't the guest.
#[derive(Debug)]
pub(crate) enum Beside {
    /// A file and what is in it.
    File(String, String),
    /// A symbolic link and where it leads. `WORLD` stands for the world's folder.
    Symlink(String, String),
    /// A second name for a file of the world.
    HardLink(String, String),
}

impl Guest {
    /// Reads a guest.
    pub(crate) fn read(path: &Path) -> Self {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(path).unwrap();
        let mut guest = Self {
            name: name.clone(),
            tries: String::new(),
            expect: Vec::new(),
            because: Vec::new(),
            says: Vec::new(),
            hides: Vec::new(),
            leaves: None,
            with: Vec::new(),
            limits: Limits { time: Duration::from_secs(60), ..Limits::default() },
            pad: None,
            text,
        };
        let sign = guest.comment();
        let header: Vec<_> = guest.text.lines().map_while(|line| line.strip_prefix(sign)).collect();
        for line in header.join("\n").lines() {
            let (key, value) = line.trim().split_once(": ").unwrap_or_else(|| panic!("{name}: {line}"));
            guest.take(key, value).unwrap_or_else(|| panic!("{name}: {line}"));
        }
        assert!(!guest.tries.is_empty() && !guest.expect.is_empty(), "{name} says too little of itself");
        guest
    }

    /// What its name ends with.
    pub(crate) fn language(&self) -> &str {
        self.name.rsplit_once('.').unwrap().1
    }

    fn comment(&self) -> &'static str {
        match self.language() {
            "wat" => ";;",
            "rs" => "//",
            _ => "#",
        }
    }

    fn take(&mut self, key: &str, value: &str) -> Option<()> {
        let value = value.trim();
        match key {
            "tries" => value.clone_into(&mut self.tries),
            "expect" => {
                self.expect = value.split(" or ").map(str::to_owned).collect();
                let known = |ending: &String| ENDINGS.iter().any(|known| ending.starts_with(known));
                self.expect.iter().all(known).then_some(())?;
            }
            "because" => self.because.push(value.to_owned()),
            "says" => self.says.push(value.to_owned()),
            "hides" => self.hides.push(value.to_owned()),
            "leaves" if value == "nothing" => self.leaves = Some(Vec::new()),
            "leaves" => self.leaves = Some(value.split(", ").map(str::to_owned).collect()),
            "with" => self.with.push(beside(value)?),
            "limit" => self.limit(value)?,
            "pad" => self.pad = Some(bytes(value)?),
            _ => return None,
        }
        Some(())
    }

    fn limit(&mut self, value: &str) -> Option<()> {
        let (what, value) = value.split_once(' ')?;
        let seconds = || value.parse().ok().map(Duration::from_secs);
        let limits = &mut self.limits;
        match what {
            "time" => limits.time = seconds()?,
            "compile-time" => limits.compile_time = seconds()?,
            "memory" => limits.memory = bytes(value)?,
            "output" => limits.output_bytes = bytes(value)?,
            "files" => limits.output_files = bytes(value)?,
            "log" => limits.log_bytes_per_stream = bytes(value)?,
            "compile-memory" => limits.compile_memory = bytes(value)?,
            _ => return None,
        }
        Some(())
    }
}

/// `file NAME = TEXT`, `symlink NAME -> TARGET` or `hardlink NAME -> TARGET`.
fn beside(value: &str) -> Option<Beside> {
    let (kind, rest) = value.split_once(' ')?;
    let (name, what) = rest.split_once(" = ").or_else(|| rest.split_once(" -> "))?;
    let (name, what) = (name.to_owned(), what.to_owned());
    match kind {
        "file" => Some(Beside::File(name, what)),
        "symlink" => Some(Beside::Symlink(name, what)),
        "hardlink" => Some(Beside::HardLink(name, what)),
        _ => None,
    }
}

/// A number with K, M or G behind it.
fn bytes(value: &str) -> Option<u64> {
    let (number, shift) = match value.as_bytes().last()? {
        b'K' => (&value[..value.len() - 1], 10),
        b'M' => (&value[..value.len() - 1], 20),
        b'G' => (&value[..value.len() - 1], 30),
        _ => (value, 0),
    };
    number.parse::<u64>().ok().map(|number| number << shift)
}
