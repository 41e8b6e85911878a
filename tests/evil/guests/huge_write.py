# tries: one write of 200 MB to standard output
# expect: log too large
# limit: log 100K
import os

os.write(1, b"x" * 200_000_000)
