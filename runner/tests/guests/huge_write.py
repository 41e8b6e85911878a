# One write of 200 MB to standard output.
import os

os.write(1, b"x" * 200_000_000)
