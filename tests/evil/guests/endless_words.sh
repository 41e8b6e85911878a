# tries: fill the disk with its log
# expect: log too large
# limit: log 100K
while :; do echo yes; done
