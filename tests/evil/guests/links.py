# tries: put names into its outputs that lead elsewhere
# expect: finished
# says: 7 refused
# leaves: mine
import os

from attempts import WORLD, attempt, over

open("outputs/mine", "w").close()
attempt("symlink", lambda: os.symlink("../../../../etc/passwd", "outputs/passwd"))
attempt("absolute", lambda: os.symlink(f"{WORLD}/token.json", "outputs/absolute"))
attempt("folder", lambda: os.symlink("/", "outputs/root"))
attempt("hard", lambda: os.link("main.py", "outputs/hard"))
attempt("device", lambda: os.mkfifo("outputs/fifo"))
attempt("parent", lambda: open("outputs/../../escaped", "w"))
attempt("rename", lambda: os.rename("outputs/mine", "../escaped"))
over()
