# tries: break who reads its log with bytes that are no text
# expect: finished
# says: after
import sys

for stream in (sys.stdout.buffer, sys.stderr.buffer):
    stream.write(b"\xff\xfe\x00\xc0\x80\xed\xa0\x80\xf8" + bytes(range(256)) + b"\nafter\n")
    stream.flush()
