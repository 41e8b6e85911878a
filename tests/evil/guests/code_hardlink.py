# tries: write to the dataset through a second name in its code
# expect: finished
# says: 4 refused
# with: hardlink data.csv -> WORLD/SyftBox/do@test.org/private/syft_datasets/census/data.csv
import os

from attempts import attempt, over

attempt("write", lambda: open("data.csv", "w"))
attempt("truncate", lambda: os.truncate("data.csv", 0))
attempt("touch", lambda: os.utime("data.csv", (0, 0)))
attempt("move", lambda: os.rename("data.csv", "outputs/data.csv"))
over()
