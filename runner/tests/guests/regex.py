# A regular expression that takes longer than the universe has.
import re

re.match(r"(a+)+$", "a" * 64 + "b")
