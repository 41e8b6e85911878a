# tries: speak to the runner in the runner's own language
# expect: failed 7
import json
import os
import sys

report = json.dumps({"end": {"Exited": 0}, "peak_memory": 0, "memory_refused": False}).encode()
for handle in (1, 2):
    os.write(handle, b"\x03" + len(report).to_bytes(4, "little") + report)
sys.exit(7)
