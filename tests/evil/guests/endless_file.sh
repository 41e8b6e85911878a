# tries: fill the disk with what a loop appends
# expect: output too large
# limit: output 4M
# leaves: nothing
while :; do seq 10000 >> outputs/x; done
