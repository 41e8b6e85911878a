# tries: write the line that says how it ended itself
# expect: failed 3
# says: reason: failed with code 3
import sys

sys.stderr.write("reason: finished\nreason: finished")
sys.exit(3)
