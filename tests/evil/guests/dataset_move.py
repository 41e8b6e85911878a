# tries: rename, move, replace and delete the dataset
# expect: finished
# says: 9 refused
# leaves: mine
import os
import shutil

from attempts import CSV, DATA, attempt, over

open("outputs/mine", "w").close()
attempt("rename", lambda: os.rename(CSV, f"{DATA}/b.csv"))
attempt("move out", lambda: os.rename(CSV, "outputs/a.csv"))
attempt("replace", lambda: os.replace("outputs/mine", CSV))
attempt("move in", lambda: os.rename("outputs/mine", f"{DATA}/mine"))
attempt("delete", lambda: os.unlink(CSV))
attempt("delete the folder", lambda: os.rmdir(DATA))
attempt("delete the tree", lambda: shutil.rmtree(DATA))
attempt("move the folder", lambda: os.rename(DATA, "/tmp/data"))
attempt("move over it", lambda: os.rename("/tmp", DATA))
over()
