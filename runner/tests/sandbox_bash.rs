//! What a bash job can do, and how it ends when it does what it can't.

#![cfg(test)]

mod common;

use std::{fs, time::Duration};

use common::{Case, OWNER, Run};
use syftbox_runner::sandbox::{Ending, LogLine};

/// Runs a script that has to finish, and gives what it printed.
#[track_caller]
fn printed(script: &str) -> String {
    let run = Case::bash(script).run();
    assert_eq!(run.outcome.ending, Ending::Finished, "{script}\n{}{}", run.stdout(), run.stderr());
    run.stdout()
}

fn short(case: Case) -> Run {
    case.limits(|limits| limits.time = Duration::from_secs(2)).run()
}

#[test]
fn it_starts_in_the_folder_of_the_job() {
    let case = Case::bash("pwd; echo \"$0 $# $2\"; ls; ls code; cat code/notes.txt; echo x > mine; cat mine")
        .file("notes.txt", "a note\n");
    let mut case = case.limits(|_| {});
    case.spec.arguments = vec!["one".to_owned(), "two words".to_owned()];
    let run = case.run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(
        run.stdout(),
        "/job\ncode/script.sh 2 two words\ncode\noutputs\nnotes.txt\noutputs\nscript.sh\na note\nx\n"
    );
    assert!(run.outputs().is_empty());
}

#[test]
fn both_folders_for_outputs_are_collected() {
    let run = Case::bash(
        "set -e\necho 1 > outputs/a.txt\ncd code\nmkdir -p outputs/deep\necho 2 > outputs/deep/b.txt\n\
         echo 3 >> outputs/a.txt\nmv outputs/deep/b.txt ../outputs/c.txt\nls outputs",
    )
    .run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.stdout(), "a.txt\nc.txt\ndeep\n");
    assert_eq!(run.outputs(), ["a.txt", "c.txt"]);
    assert_eq!((run.output("a.txt").as_str(), run.output("c.txt").as_str()), ("1\n3\n", "2\n"));
}

#[test]
fn the_environment_is_that_of_a_job() {
    let run =
        Case::bash("printenv SYFT_IS_IN_JOB SYFTBOX_EMAIL SYFTBOX_FOLDER HOME TMPDIR; env | grep -ci path")
            .dataset("census", &[("a.csv", "mock\n")], &[("a.csv", "private\n")])
            .run();
    assert_eq!(run.stdout(), format!("true\n{OWNER}\n/syftbox\n/tmp\n/tmp\n1\n"));
    let case = Case::bash(
        "cat $SYFTBOX_FOLDER/$SYFTBOX_EMAIL/private/syft_datasets/census/a.csv\n\
         wc -l < $SYFTBOX_FOLDER/$SYFTBOX_EMAIL/public/syft_datasets/census/a.csv",
    );
    let run = case.dataset("census", &[("a.csv", "mock\n")], &[("a.csv", "private\n")]).run();
    assert_eq!(run.stdout(), "private\n1\n");
}

#[test]
fn it_leaves_with_the_code_of_the_script() {
    for (script, code) in [
        ("exit 3", 3),
        ("exit 200", 200),
        ("false", 1),
        ("false; true", 0),
        ("set -e; false; true", 1),
        ("set -euo pipefail; false | cat; true", 1),
        ("nothing-has-this-name", 127),
        ("kill -9 $$", 137),
        ("if then", 2),
    ] {
        let run = Case::bash(script).run();
        let ending = if code == 0 { Ending::Finished } else { Ending::FailedWithCode(code) };
        run.assert_ending(&ending);
    }
}

#[test]
fn it_is_bash() {
    for (script, expected) in [
        ("printf '%s\\n' c a b | sort | tr a-z A-Z | paste -sd,", "A,B,C\n"),
        ("a=(1 2 3); a+=(4); echo ${#a[@]} ${a[@]:1:2}; declare -A m=([x]=1); echo ${m[x]}", "4 2 3\n1\n"),
        ("cat <<EOF\n$((6 * 7)) $(echo in)\nEOF", "42 in\n"),
        ("diff <(echo 1) <(echo 1) && echo same", "same\n"),
        ("f() { local x=$1; echo $((x * 2)); }; f 21", "42\n"),
        ("trap 'echo bye' EXIT; echo hi", "hi\nbye\n"),
        ("for f in {1..3}; do case $f in 2) continue;; esac; echo $f; done", "1\n3\n"),
        (
            "x=report.tar.gz; echo ${x%.gz} ${x##*.} ${x/tar/zip} ${x^^}",
            "report.tar gz report.zip.gz REPORT.TAR.GZ\n",
        ),
        ("printf 'a 1\\nb 2\\n' | awk '{ s += $2 } END { print s }'", "3\n"),
        ("echo 'hello world' | sed -E 's/(o)/[\\1]/g'", "hell[o] w[o]rld\n"),
        ("echo '{\"a\": [1, 2]}' | jq -c '.a | map(. + 1)'", "[2,3]\n"),
        ("seq 5 | xargs -n2 echo", "1 2\n3 4\n5\n"),
        ("mkdir d; echo hi > d/f; tar czf /tmp/d.tgz d; rm -r d; tar xzf /tmp/d.tgz; cat d/f", "hi\n"),
        ("while read -r a b; do echo \"$b $a\"; done <<< 'x y'", "y x\n"),
        ("echo err >&2 2>/dev/null; { echo out; echo err >&2; } 2>&1 | wc -l", "2\n"),
        ("sleep 0.2 & sleep 0.1; wait; echo $?", "0\n"),
        ("while :; do echo x; done | head -2", "x\nx\n"),
        ("[[ abc =~ ^a(.)c$ ]] && echo ${BASH_REMATCH[1]}", "b\n"),
        ("echo -n abc | sha256sum | cut -c1-8", "ba7816bf\n"),
        ("find /job/code -name '*.sh'", "/job/code/script.sh\n"),
        ("source code/script.sh 2>/dev/null || true; echo ok", "ok\n"),
    ] {
        // The last sources itself.
        let script = if script.starts_with("source") { "[ $1 ] || set -- x; echo ok" } else { script };
        assert_eq!(printed(script), expected, "{script}");
    }
}

#[test]
fn scripts_of_the_job_can_be_sourced_and_run() {
    let run = Case::bash(
        "source code/lib/common.sh\ngreet sourced\nbash code/lib/other.sh run\n\
         chmod +x code/lib/other.sh\n./code/lib/other.sh executed\n",
    )
    .file("lib/common.sh", "greet() { echo \"hello $1\"; }\n")
    .file("lib/other.sh", "#!/bin/bash\necho \"other $1\"\n")
    .run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.stdout(), "hello sourced\nother run\nother executed\n");
}

#[test]
fn python_runs_in_scripts() {
    let run = Case::bash(
        r#"set -euo pipefail
python3 code/main.py one 'two words'
python3 -c 'import sys; print(sys.argv[1:], __name__)' -x
python3 - <<'EOF'
import os
print("from input", os.getcwd(), os.environ["GREETING"])
EOF
export GREETING=hi
cd code && python3 -m pkg.tool && python -u main.py
python3 -V | cut -d. -f1
echo '{"a": 1}' | python3 -c 'import json, sys; print(json.load(sys.stdin)["a"])'
"#
        .replace("set -euo pipefail\n", "set -euo pipefail\nexport GREETING=hello\n")
        .as_str(),
    )
    .file("main.py", "import sys, helper\nprint(sys.argv, helper.x)\n")
    .file("helper.py", "x = 7\n")
    .file("pkg/__init__.py", "")
    .file("pkg/tool.py", "import os\nprint('tool', os.getcwd(), os.environ['GREETING'])\n")
    .run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(
        run.stdout(),
        "['code/main.py', 'one', 'two words'] 7\n['-x'] __main__\nfrom input /job hello\n\
         tool /job/code hi\n['main.py'] 7\nPython 3\n1\n"
    );
}

#[test]
fn python_finds_the_datasets_and_leaves_outputs() {
    let script = "python3 -c \"\nimport syft_client as sc, pandas as pd\n\
                  d = pd.read_csv(sc.resolve_dataset_file_path('census'))\n\
                  d.groupby('g').x.sum().to_csv('outputs/sums.csv')\n\" && cat outputs/sums.csv";
    let run = Case::bash(script)
        .dataset("census", &[("a.csv", "g,x\n")], &[("a.csv", "g,x\na,1\nb,2\na,3\n")])
        .run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.stdout(), "g,x\na,4\nb,2\n");
    assert_eq!(run.outputs(), ["sums.csv"]);
}

#[test]
fn pythons_in_a_pipe_run_at_the_same_time() {
    // The first one never ends by itself: what it writes has to reach the second while it runs.
    let script = "python3 -c 'while True: print(\"line\")' | python3 -c 'print(input())'; echo $?";
    assert_eq!(printed(script), "line\n0\n");
    assert_eq!(printed("python3 -c 'while True: print(1)' | head -1"), "1\n");
    let script = "for i in $(seq 12); do python3 -c \"print($i)\" & done | sort -n | paste -sd' '; wait";
    assert_eq!(printed(script), "1 2 3 4 5 6 7 8 9 10 11 12\n");
}

#[test]
fn the_codes_of_python_are_those_of_the_script() {
    for (script, code) in [
        ("python3 -c 'import sys; sys.exit(7)'", 7),
        ("python3 -c 'raise ValueError'", 1),
        ("python3 nowhere.py", 2),
        ("python3 --nothing", 2),
        ("python3 -c 'import os; os.abort()'", 134),
    ] {
        let run = Case::bash(script).run();
        run.assert_ending(&Ending::FailedWithCode(code));
        assert!(run.stderr().lines().count() >= if code == 7 { 1 } else { 2 }, "{}", run.stderr());
    }
    let script = "python3 -c 'raise ValueError(5)' 2> outputs/err || echo caught $?; tail -1 outputs/err";
    assert_eq!(printed(script), "caught 1\nValueError: 5\n");
}

#[test]
fn lines_come_while_it_runs() {
    for script in
        ["echo I am here; sleep 1000", "python3 -c 'print(\"I am here\"); import time; time.sleep(1000)'"]
    {
        let case = Case::bash(script);
        let cancel = case.cancel.clone();
        // The script never ends: only a line that comes live can end it before its time is over.
        let run = case.run_with(&mut |_| cancel.cancel());
        run.assert_ending(&Ending::Killed);
        assert_eq!(run.lines.iter().map(LogLine::printable).collect::<Vec<_>>(), ["I am here"]);
    }
}

#[test]
fn what_never_ends_is_timed_out() {
    for script in [
        "while :; do :; done",
        "sleep 1000",
        "sleep 1000 & sleep 1000 & wait",
        "f() { f | f & }; while :; do f; done",
        "python3 -c 'while True: pass'",
        "python3 -c 'import time; time.sleep(1000)' & wait",
        "python3 -c 'while True: print(1)' | python3 -c 'while True: pass'",
        "python3 -c 'while True: pass' | head -1",
        "trap '' TERM INT; trap 'sleep 1000' EXIT; sleep 1000",
        "while :; do cat /dev/zero > /dev/null; done",
        "read x < <(sleep 1000)",
        "until false; do ls > /dev/null; done",
    ] {
        let run = short(Case::bash(script));
        assert_eq!(run.outcome.ending, Ending::TimedOut, "{script}\n{}", run.stderr());
        assert_eq!(run.outcome.return_code(), -1, "{script}");
    }
}

#[test]
fn memory_is_one_for_the_script_and_its_pythons() {
    let little = |limits: &mut syftbox_runner::sandbox::Limits| limits.memory = 256 << 20;
    for script in [
        "x=x; while :; do x=$x$x; done",
        "a=(); x=$(head -c 4000000 /dev/zero | tr '\\0' x); while :; do a+=($x); done",
        "python3 -c 'x = bytearray(300 << 20)'",
        "set -e\nfor i in 1 2 3; do python3 -c 'import time; x = bytearray(100 << 20); time.sleep(1)' & done\nwait -n; wait -n; wait -n",
    ] {
        let run = Case::bash(script).limits(little).run();
        run.assert_ending(&Ending::OutOfMemory);
        assert!(run.outcome.peak_memory.is_some_and(|peak| peak <= 256 << 20), "{:?}", run.outcome);
    }
    // One after the other they fit.
    let script = "for i in 1 2 3 4; do python3 -c 'x = bytearray(100 << 20); print(len(x))'; done";
    let run = Case::bash(script).limits(little).run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.stdout(), "104857600\n".repeat(4));
}

#[test]
fn files_and_logs_stop_growing_at_their_limits() {
    for script in [
        "while :; do head -c 1000000 /dev/zero >> x; done",
        "while :; do head -c 1000000 /dev/zero >> /tmp/x; done",
        "while :; do seq 100000 >> outputs/x; done",
        "truncate -s 9M outputs/x; python3 -c 'open(\"outputs/x\", \"wb\").truncate(9 << 20)'",
        "python3 -c 'while True: open(\"outputs/x\", \"ab\").write(bytes(1 << 20))'",
        "python3 -c 'while True: print(\"x\" * 1000)' > outputs/x",
        "for i in 1 2 3 4; do python3 -c 'open(\"outputs/'$i'\", \"wb\").write(bytes(3 << 20))' & done; wait",
    ] {
        let run = Case::bash(script).limits(|limits| limits.output_bytes = 4 << 20).run();
        assert_eq!(run.outcome.ending, Ending::OutputTooLarge, "{script}\n{}", run.stderr());
        assert!(run.outputs().is_empty(), "{script}");
    }
    let script = "for i in $(seq 1000); do mkdir -p outputs/d$i; : > outputs/f$i; done";
    let run = Case::bash(script).limits(|limits| limits.output_files = 50).run();
    run.assert_ending(&Ending::OutputTooLarge);
    for script in [
        "while :; do echo yes; done",
        "while :; do seq 1000 >&2; done",
        "python3 -c 'while True: print(1)'",
        "while :; do cat /dev/zero; done",
    ] {
        let run = Case::bash(script).limits(|limits| limits.log_bytes_per_stream = 100_000).run();
        run.assert_ending(&Ending::LogTooLarge);
    }
}

#[test]
fn nothing_outside_is_reached() {
    let case = Case::bash(
        "for f in /home /root/.ssh /etc/shadow /proc/self/environ /proc/2/cmdline /sys/kernel /job/../../etc/shadow \
         /syftbox/$SYFTBOX_EMAIL/private/syft_datasets/other; do\n\
           [ -e $f ] && echo \"$f is there\"; cat $f 2>/dev/null && echo \"$f was read\"\n\
         done\n\
         grep -c root:/root /etc/passwd\n\
         ls /job/.. | tr '\\n' ' '\n\
         hostname; whoami",
    );
    let run = case.run();
    assert_eq!(run.stdout(), "0\nbin dev etc job proc root tmp usr sandbox\njob\n", "{}", run.stderr());
}

#[test]
fn code_datasets_and_links_are_refused() {
    let data = "/syftbox/$SYFTBOX_EMAIL/private/syft_datasets/census";
    let attempts = [
        format!("echo x > {data}/a.csv"),
        format!("echo x >> {data}/a.csv"),
        format!("rm {data}/a.csv"),
        // -f says nothing and leaves with 0; what it does is seen below.
        format!("rm -rf {data}; false"),
        format!("mv {data}/a.csv /tmp/a.csv"),
        format!("touch -d 2001-01-01 {data}/a.csv"),
        format!("truncate -s 0 {data}/a.csv"),
        format!("sed -i s/p/q/ {data}/a.csv"),
        format!("cp code/script.sh {data}/new"),
        format!("mkdir {data}/new"),
        format!("python3 -c \"open('{data}/a.csv', 'w')\""),
        "echo x > code/script.sh".to_owned(),
        "rm code/script.sh".to_owned(),
        "ln -s /etc/passwd outputs/link".to_owned(),
        "ln code/script.sh outputs/hard".to_owned(),
        "mkfifo outputs/pipe".to_owned(),
        "mknod outputs/device c 1 3".to_owned(),
        "echo x > /etc/passwd".to_owned(),
        "curl -s http://127.0.0.1:9/".to_owned(),
        "wget -q http://127.0.0.1:9/".to_owned(),
        "exec 3<>/dev/tcp/127.0.0.1/9".to_owned(),
        "ssh 127.0.0.1".to_owned(),
        "./code/main".to_owned(),
    ];
    let script = attempts
        .iter()
        .enumerate()
        .map(|(number, attempt)| format!("( {attempt} ) > /dev/null 2>&1 && echo {number} worked\n"))
        .collect::<Vec<_>>()
        .concat();
    let case = Case::bash(&format!("{script}echo end\n")).file("main", "\u{7f}ELF").dataset(
        "census",
        &[("a.csv", "mock")],
        &[("a.csv", "private")],
    );
    let (code, private) = (case.spec.code.clone(), case.spec.datasets[0].private.clone().unwrap());
    let run = case.run();
    run.assert_ending(&Ending::Finished);
    assert_eq!(run.stdout(), "end\n");
    assert_eq!(fs::read_to_string(private.join("a.csv")).unwrap(), "private");
    assert_eq!(fs::read_dir(private).unwrap().count(), 1);
    assert!(fs::read_to_string(code.join("script.sh")).unwrap().ends_with("echo end\n"));
    assert!(run.outputs().is_empty(), "{:?}", run.outputs());
}
