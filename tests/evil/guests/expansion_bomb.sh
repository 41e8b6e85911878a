# tries: words that take more memory than there is
# expect: out of memory or failed 1 or failed 134 or timed out
# limit: time 5
# limit: memory 512M
echo {1..99999}{1..99999} > /dev/null
x=x
while :; do x=$x$x; done
