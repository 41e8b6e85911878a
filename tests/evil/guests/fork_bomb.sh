# tries: the fork bomb
# expect: finished or failed 1 or timed out or out of memory
# limit: time 3

# A function of bash may call itself 16 deep: that ends it at the latest.
:() { : | : & }
:
wait
