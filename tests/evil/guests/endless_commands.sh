# tries: commands that never end
# expect: timed out
# limit: time 2
while :; do
    seq 1000000 | sort -r | md5sum > /dev/null
done
