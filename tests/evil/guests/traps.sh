# tries: survive what ends it
# expect: timed out
# limit: time 2
trap '' TERM INT HUP
trap 'while :; do :; done' EXIT
sleep 1000
