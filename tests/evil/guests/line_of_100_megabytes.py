# tries: one line that nobody can hold
# expect: log too large
# because: of 10 MiB
import sys

for _ in range(100):
    sys.stdout.write("x" * 1_000_000)
sys.stdout.write("\n")
