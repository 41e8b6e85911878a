# tries: start Pythons that start nothing and never end, more than there is room for
# expect: timed out or out of memory
# limit: time 4
# limit: memory 1G
for i in $(seq 100); do
    python3 -c 'import time; x = bytearray(20 << 20); time.sleep(1000)' &
done
wait
