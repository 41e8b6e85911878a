# tries: get another name for the dataset, one that can be written
# expect: finished
# says: 6 refused
# leaves: nothing
import os

from attempts import CSV, DATA, attempt, over

attempt("a hard link in outputs", lambda: os.link(CSV, "outputs/a.csv"))
attempt("a hard link in /tmp", lambda: os.link(CSV, "/tmp/a.csv"))
attempt("a hard link beside it", lambda: os.link(CSV, f"{DATA}/b.csv"))
attempt("a hard link in its place", lambda: os.link(__file__, f"{DATA}/c.csv"))
attempt("a link to it", lambda: os.symlink(CSV, "outputs/link"))
attempt("its permissions", lambda: os.chmod(CSV, 0o777) or open(CSV, "w"))
over()
