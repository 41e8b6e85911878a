# tries: fill the disk with its other log, without ending a line
# expect: log too large
# limit: log 100K
import sys

while True:
    sys.stderr.write("x" * 1000)
