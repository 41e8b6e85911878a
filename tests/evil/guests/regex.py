# tries: a regular expression that takes longer than the universe has
# expect: timed out
# limit: time 1
import re

re.match(r"(a+)+$", "a" * 64 + "b")
