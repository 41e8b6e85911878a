# tries: empty the dataset, also with a file that is open for reading only
# expect: finished
# says: 8 refused
import os

from attempts import CSV, attempt, over

attempt("truncate", lambda: os.truncate(CSV, 0))
attempt("read-only and truncate", lambda: os.open(CSV, os.O_RDONLY | os.O_TRUNC))
attempt("write and truncate", lambda: os.open(CSV, os.O_WRONLY | os.O_TRUNC))
attempt("create and truncate", lambda: os.open(CSV, os.O_RDWR | os.O_CREAT | os.O_TRUNC))
file = os.open(CSV, os.O_RDONLY)
attempt("a file open for reading", lambda: os.ftruncate(file, 0))
attempt("a write to it", lambda: os.write(file, b"x"))
attempt("a write into it", lambda: os.pwrite(file, b"x", 0))
attempt("space for it", lambda: os.posix_fallocate(file, 0, 1 << 20))
over()
