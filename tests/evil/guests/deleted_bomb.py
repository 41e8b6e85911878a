# tries: fill the disk with a file that has no name any more
# expect: output too large
# limit: output 20M
import os

out = open("/tmp/big", "wb")
os.unlink("/tmp/big")
while True:
    out.write(b"\0" * (1 << 20))
