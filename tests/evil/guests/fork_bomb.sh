# tries: the fork bomb
# expect: failed 1 or timed out or out of memory
# limit: time 3
:() { : | : & }
:
wait
