# tries: fill the disk with its log
# expect: log too large
# limit: log 100K
while True:
    print("x" * 1000)
