# Fills the disk with a file that has no name any more.
import os

out = open("/tmp/big", "wb")
os.unlink("/tmp/big")
while True:
    out.write(b"\0" * (1 << 20))
