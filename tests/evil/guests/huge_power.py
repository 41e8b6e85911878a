# tries: keep the interpreter in one long operation
# expect: timed out
# limit: time 1
print(len(str(7 ** 10**8)))
