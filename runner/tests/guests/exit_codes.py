# Leaves with the code, or in the way, that its argument names.
import os
import sys

how = sys.argv[1]
if how == "uncaught":
    raise ValueError("boom")
if how == "message":
    sys.exit("a last word")
if how == "os":
    os._exit(7)
if how == "abort":
    os.abort()
sys.exit(int(how))
