# tries: compute forever
# expect: timed out
# limit: time 1
while True:
    pass
