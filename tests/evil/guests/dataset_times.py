# tries: change when the dataset was changed
# expect: finished
# says: 5 refused
import os

from attempts import CSV, DATA, attempt, over

attempt("the file's", lambda: os.utime(CSV, (0, 0)))
attempt("the folder's", lambda: os.utime(DATA, (0, 0)))
attempt("without following", lambda: os.utime(CSV, (0, 0), follow_symlinks=False))
attempt("the open file's", lambda: os.utime(os.open(CSV, os.O_RDONLY), (0, 0)))
attempt("the open folder's", lambda: os.utime(os.open(DATA, os.O_RDONLY), (0, 0)))
over()
