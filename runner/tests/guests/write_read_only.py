# Changes what it may only read.
import os
from pathlib import Path

import syft_client as sc

data = sc.resolve_dataset_file_path("census")
script = Path("write_read_only.py").absolute()
for name, change in [
    ("append to data", lambda: open(data, "a").write("x")),
    ("truncate data", lambda: os.truncate(data, 0)),
    ("touch data", lambda: os.utime(data, (0, 0))),
    ("delete data", lambda: data.unlink()),
    ("rename data", lambda: data.rename(data.with_name("b.csv"))),
    ("move data out", lambda: data.rename("outputs/a.csv")),
    ("new beside data", lambda: data.with_name("new.csv").write_text("x")),
    ("folder beside data", lambda: data.with_name("new").mkdir()),
    ("replace data", lambda: os.replace("outputs/mine", data)),
    ("write code", lambda: script.write_text("x")),
    ("new code", lambda: Path("evil.py").write_text("x")),
    ("write library", lambda: Path("/usr/local/lib/python315.zip").write_text("x")),
    ("write package", lambda: Path(sc.__file__).write_text("x")),
    ("write root", lambda: Path("/x").write_text("x")),
]:
    Path("outputs/mine").write_text("mine")
    try:
        change()
        print(name, "done")
    except OSError as error:
        print(name, type(error).__name__)
