# Complains forever, without ending a line.
import sys

while True:
    sys.stderr.write("x" * 1000)
