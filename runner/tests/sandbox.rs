//! What a job can do.

#![cfg(test)]

mod common;

use std::{fmt::Write, fs};

use common::{Case, OWNER};
use syftbox_runner::sandbox::{Ending, LogLine, LogStream, SandboxError};

#[test]
fn prints_and_finishes() {
    let run = Case::script("hello.py").run();
    run.assert_ending(&Ending::Finished);
    assert_eq!((run.stdout().as_str(), run.stderr().as_str()), ("hello\n", ""));
    assert_eq!((run.outcome.return_code(), run.outcome.reason.as_str()), (0, "finished"));
    assert!(run.outcome.peak_memory.is_some_and(|bytes| bytes > 1 << 20));
    assert!(run.outputs().is_empty());
}

#[test]
fn a_folder_with_packages_runs_from_any_depth() {
    let files = [
        ("main.py", "from pkg.util import f\nimport beside\nprint(f(), beside.x)\n"),
        ("beside.py", "x = 2\n"),
        ("pkg/__init__.py", ""),
        ("pkg/util.py", "def f():\n    return __name__\n"),
        ("deep/run.py", "import near\nimport os\nprint(near.y, os.getcwd())\n"),
        ("deep/near.py", "y = 3\n"),
    ];
    assert_eq!(Case::files("main.py", &files).run().stdout(), "pkg.util 2\n");
    assert_eq!(Case::files("deep/run.py", &files).run().stdout(), "3 /job/code\n");
}

#[test]
fn the_working_directory_is_the_code_with_outputs_in_it() {
    let mut case = Case::script("working_directory.py").file("notes/read me.txt", "hi");
    case.spec.arguments = vec!["--flag".to_owned(), "ünï code".to_owned()];
    let run = case.run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(
        run.stdout(),
        "cwd /job/code\n\
         argv ['working_directory.py', '--flag', 'ünï code']\n\
         name __main__\n\
         outputs ['outputs/absolute.txt', 'outputs/deep/z.txt', 'outputs/x.txt']\n\
         input ''\n\
         beside hi\n"
    );
    assert_eq!(run.outputs(), ["absolute.txt", "deep/z.txt", "x.txt"]);
    assert_eq!(run.output("x.txt"), "relative\n");
    assert_eq!((run.outcome.output_files, run.outcome.output_bytes), (3, 23));
}

#[test]
fn leaves_with_its_own_code() {
    for (how, code) in [
        ("0", 0),
        ("3", 3),
        ("200", 200),
        ("256", 0),
        ("-1", 255),
        ("message", 1),
        ("uncaught", 1),
        ("os", 7),
    ] {
        let mut case = Case::script("exit_codes.py");
        case.spec.arguments = vec![how.to_owned()];
        let run = case.run();
        let ending = if code == 0 { Ending::Finished } else { Ending::FailedWithCode(code) };
        run.assert_ending(&ending);
        assert_eq!(run.outcome.return_code(), code, "{how}");
        if how == "message" {
            assert_eq!(run.stderr(), "a last word\nreason: failed with code 1\n");
        }
    }
}

#[test]
fn a_crash_is_a_failure_of_the_script() {
    let mut case = Case::script("exit_codes.py");
    case.spec.arguments = vec!["abort".to_owned()];
    let run = case.run();
    assert!(matches!(run.outcome.ending, Ending::FailedWithCode(code) if code > 1), "{:?}", run.outcome);
}

#[test]
fn tracebacks_name_the_scientists_own_files_and_lines() {
    let files = [
        ("main.py", "import pkg.util\n\npkg.util.fail('x')\n"),
        ("pkg/__init__.py", ""),
        ("pkg/util.py", "def fail(what):\n    raise KeyError(what)\n"),
    ];
    let run = Case::files("main.py", &files).run();
    run.assert_ending(&Ending::FailedWithCode(1));
    assert_eq!(
        run.stderr(),
        "Traceback (most recent call last):\n  \
           File \"main.py\", line 3, in <module>\n    \
             pkg.util.fail('x')\n    \
             ~~~~~~~~~~~~~^^^^^\n  \
           File \"/job/code/pkg/util.py\", line 2, in fail\n    \
             raise KeyError(what)\n\
         KeyError: 'x'\n\
         reason: failed with code 1\n"
    );
    let run = Case::files("main.py", &[("main.py", "x = = 1\n")]).run();
    run.assert_ending(&Ending::FailedWithCode(1));
    assert!(run.stderr().contains("File \"main.py\", line 1\n"), "{}", run.stderr());
}

#[test]
fn lines_come_while_it_runs() {
    let case = Case::script("live.py");
    let cancel = case.cancel.clone();
    // The script never ends: only a line that comes live can end it before its time is over.
    let run = case.run_with(&mut |_| cancel.cancel());
    run.assert_ending(&Ending::Killed);
    let lines: Vec<_> = run.lines.iter().map(LogLine::printable).collect();
    assert_eq!(lines[0], "I am here");
    assert!(run.stdout().starts_with("I am here\n"));
}

#[test]
fn bytes_are_kept_and_terminal_escapes_are_not_shown() {
    let run = Case::script("raw_bytes.py").run();
    run.assert_ending(&Ending::Finished);
    let kept = fs::read(run.folder.path().join("review/stdout.txt")).unwrap();
    assert_eq!(kept, b"\xff\xfe\x00raw\n\x1b[31mred\x1b[0m\n");
    let shown: Vec<_> = run.lines.iter().map(|line| (line.stream, line.printable())).collect();
    assert!(shown.contains(&(LogStream::Stdout, "\u{fffd}\u{fffd}\u{fffd}raw".to_owned())), "{shown:?}");
    assert!(shown.contains(&(LogStream::Stdout, "red".to_owned())), "{shown:?}");
    assert!(shown.contains(&(LogStream::Stderr, "to the side".to_owned())), "{shown:?}");
}

#[test]
fn pandas_and_scikit_learn_give_the_right_numbers() {
    // income = 1000 + 25 * age, in a population whose every third person lives in the north.
    let ages: Vec<u32> = (0..100_000).map(|i| 20 + (i * 7919) % 61).collect();
    let region = |i: usize| if i.is_multiple_of(3) { "north" } else { "south" };
    let mut csv = String::from("region,age,income\n");
    for (i, age) in ages.iter().enumerate() {
        writeln!(csv, "{},{age},{}", region(i), 1000 + 25 * age).unwrap();
    }
    let mean = |of: &str| {
        let incomes: Vec<f64> =
            (0..ages.len()).filter(|i| region(*i) == of).map(|i| f64::from(1000 + 25 * ages[i])).collect();
        incomes.iter().sum::<f64>() / f64::from(u32::try_from(incomes.len()).unwrap())
    };
    let count = f64::from(u32::try_from(ages.len()).unwrap());
    let middle = ages.iter().copied().map(f64::from).sum::<f64>() / count;
    let spread = (ages.iter().map(|age| (f64::from(*age) - middle).powi(2)).sum::<f64>() / count).sqrt();

    let run = Case::script("science.py")
        .dataset("census", &[("census.csv", "region,age,income\n")], &[("census.csv", &csv)])
        .run();
    run.assert_ending(&Ending::Finished);
    let result: serde_json::Value = serde_json::from_str(&run.output("result.json")).unwrap();
    assert_eq!(result["rows"], 100_000);
    for (found, expected) in [
        (&result["means"]["north"], mean("north")),
        (&result["means"]["south"], mean("south")),
        (&result["slope"], 25.0),
        (&result["intercept"], 1000.0),
        (&result["std"], spread),
    ] {
        let found = found.as_f64().unwrap();
        assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
    }
}

#[test]
fn figures_can_be_drawn() {
    let run = Case::script("plot.py").run();
    run.assert_ending(&Ending::Finished);
    let png = fs::read(run.folder.path().join("review/outputs/squares.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.len() > 5_000, "{} bytes", png.len());
}

#[test]
fn a_database_can_be_made_and_leaves_one_file() {
    let run = Case::script("database.py").run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.stdout(), "40.0\n1\n");
    let outputs = fs::read_dir(run.folder.path().join("review/outputs")).unwrap();
    let names: Vec<_> = outputs.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["results.db"]);
}

#[test]
fn the_four_functions_find_private_files() {
    let run = Case::script("datasets.py")
        .dataset(
            "census",
            &[("a.csv", "mock"), ("dataset.yaml", "name: census")],
            &[
                ("a.csv", "private"),
                ("b.csv", "more"),
                ("private_metadata.yaml", "uid: 1"),
                ("helpers/double.py", "def double(x):\n    return 2 * x\n"),
            ],
        )
        .run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(
        run.stdout(),
        format!(
            "file /syftbox/{OWNER}/private/syft_datasets/census/a.csv private\n\
             files ['a.csv', 'b.csv']\n\
             url private\n\
             code 42\n\
             mock mock\n\
             names ['census']\n\
             refused FileNotFoundError Dataset 'other' not found in {OWNER}'s datasite. This job may use: census.\n\
             refused FileNotFoundError Dataset 'census' not found in eve@other.org's datasite. This job may use: none.\n\
             refused ValueError Path must start with 'syft://', got: /etc/passwd\n\
             refused FileNotFoundError Code file not found at /syftbox/{OWNER}/private/syft_datasets/census/none.py (resolved from 'census.none').\n\
             refused ValueError Invalid path 'census': expected '<dataset_name>.<code_path>', e.g. 'my_dataset.helpers' or 'my_dataset.utils.nested'.\n"
        )
    );
}

#[test]
fn chance_differs_from_run_to_run_and_the_time_is_the_hosts() {
    let [first, second] = [Case::script("randomness.py").run(), Case::script("randomness.py").run()];
    let (first, second) = (first.stdout(), second.stdout());
    let mut pairs: Vec<_> = first.lines().zip(second.lines()).collect();
    let (then, _) = pairs.pop().unwrap();
    assert_eq!(pairs.len(), 13);
    for (first, second) in pairs {
        assert_ne!(first, second);
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!((now.as_secs_f64() - then.parse::<f64>().unwrap()).abs() < 3600.0, "{then}");
}

#[test]
fn jobs_begin_with_the_scientific_packages_unless_they_have_little_memory() {
    let run = Case::script("imported.py").run();
    assert_eq!(run.stdout(), "True\n");
    let with = run.outcome.peak_memory.unwrap();

    let run = Case::script("imported.py").limits(|limits| limits.memory = 256 << 20).run();
    assert_eq!(run.stdout(), "False\n");
    assert!(run.outcome.peak_memory.unwrap() < with / 2, "{:?} {with}", run.outcome);
    // The one without is the same in all else.
    let run = Case::script("science.py")
        .limits(|limits| limits.memory = 256 << 20)
        .dataset(
            "census",
            &[("census.csv", "")],
            &[("census.csv", "region,age,income\nnorth,1,2\nsouth,2,3\nnorth,3,4\n")],
        )
        .run();
    run.assert_ending(&Ending::Finished);
    assert!(run.output("result.json").contains("\"rows\": 3"), "{}", run.output("result.json"));
}

#[test]
fn what_is_left_to_the_end_is_done() {
    let run = Case::script("ends.py").run();
    run.assert_ending(&Ending::Finished);
    let said = run.stdout();
    let mut lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[..2], ["end", "at exit"]);
    lines[2..].sort_unstable();
    assert_eq!(lines[2..], ["gone: circle", "gone: here"]);
    let bytes = |name: &str| fs::read(run.folder.path().join("review/outputs").join(name)).unwrap();
    assert_eq!(run.output("held.txt").len(), 100);
    assert_eq!(run.output("in_module.txt").len(), 50);
    assert_eq!(bytes("in_function.bin"), [b'z'; 70]);
    // Whole: the length of what was packed is at the end of the one, the directory at that of the other.
    assert!(bytes("packed.gz").ends_with(&5_u32.to_le_bytes()));
    assert_eq!(bytes("archive.zip")[bytes("archive.zip").len() - 22..][..4], *b"PK\x05\x06");
}

#[test]
fn tmp_is_private_and_gone_after() {
    let run = Case::script("tmp.py").run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.stdout(), "[]\n/tmp /tmp\n1\n");
    assert!(run.outputs().is_empty());
}

#[test]
fn what_was_deleted_does_not_count_as_output() {
    let run = Case::script("rewrite.py").limits(|limits| limits.output_bytes = 1_000_000).run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.outcome.output_bytes, 500_000);
}

#[test]
fn a_job_that_copes_with_less_memory_finishes() {
    let run = Case::script("memory_caught.py").limits(|limits| limits.memory = 512 << 20).run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.stdout(), "coped\n");
}

#[test]
fn outputs_with_harmless_names_are_collected_and_join_those_that_are_there() {
    let case = Case::script("broken_names.py");
    fs::create_dir_all(&case.spec.outputs).unwrap();
    fs::write(case.spec.outputs.join("fine.txt"), "of an earlier run").unwrap();
    fs::write(case.spec.outputs.join("kept.txt"), "kept").unwrap();
    let run = case.run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.outputs(), ["dot.", "fine.txt", "kept.txt", "ünï.txt"]);
    assert_eq!(run.output("fine.txt"), "x");
}

#[test]
fn what_is_missing_is_named_before_anything_runs() {
    let case = Case::files("none.py", &[("main.py", "")]);
    let error = case.try_run().err().unwrap();
    assert!(
        matches!(&error, SandboxError::Entrypoint { entrypoint, .. } if entrypoint == "none.py"),
        "{error}"
    );

    let mut case = Case::script("hello.py").dataset("census", &[], &[("a.csv", "1")]);
    fs::remove_dir_all(case.spec.datasets[0].private.as_ref().unwrap()).unwrap();
    case.spec.datasets[0].mock = None;
    let error = case.try_run().err().unwrap();
    assert!(matches!(&error, SandboxError::Dataset { name, .. } if name == "census"), "{error}");

    for name in ["../x", "a/b", "", "a b"] {
        let mut case = Case::script("hello.py").dataset("census", &[("a", "")], &[("a", "")]);
        case.spec.datasets[0].name = name.to_owned();
        assert!(matches!(case.try_run(), Err(SandboxError::DatasetName { .. })), "{name}");
    }
}
