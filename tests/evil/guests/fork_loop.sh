# tries: background jobs without end
# expect: failed 1 or timed out or out of memory or log too large
# limit: time 3
while :; do
    sleep 1000 &
done
