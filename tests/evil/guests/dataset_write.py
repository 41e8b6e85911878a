# tries: write to the dataset
# expect: finished
# says: 10 refused
import os
import pathlib
import shutil

import pandas as pd
from attempts import CSV, DATA, attempt, over

attempt("append", lambda: open(CSV, "a").write("x"))
attempt("overwrite", lambda: open(CSV, "w").write("x"))
attempt("update", lambda: open(CSV, "r+b").write(b"x"))
attempt("new file", lambda: open(f"{DATA}/new.csv", "x"))
attempt("new folder", lambda: os.mkdir(f"{DATA}/new"))
attempt("pandas", lambda: pd.DataFrame({"a": [1]}).to_csv(CSV))
attempt("copy over", lambda: shutil.copyfile(__file__, CSV))
attempt("touch", lambda: pathlib.Path(DATA, "new").touch())
attempt("the mock half", lambda: open(CSV.replace("private", "public"), "w"))
attempt("through outputs", lambda: open(f"outputs/../../..{CSV}", "w"))
over()
