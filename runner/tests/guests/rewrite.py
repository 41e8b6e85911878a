# Writes more than the limit in all, but never holds more than it.
import os

for _ in range(50):
    with open("outputs/same", "wb") as out:
        out.write(b"x" * 500_000)
    with open("/tmp/other", "wb") as out:
        out.write(b"x" * 100_000)
    os.remove("/tmp/other")
