# tries: read the machine's files, the token and other datasets
# expect: finished
# says: 11 refused
# hides: root:x
. code/attempts.sh "$@"
attempt 'cat "$WORLD/token.json"'
attempt 'cat /etc/shadow'
attempt 'grep root:x /etc/passwd'
attempt 'cat /proc/self/environ'
attempt 'ls /home/*'
attempt 'cat ../../../../../../etc/shadow'
attempt 'cat "$DATA/../other/data.csv"'
attempt 'find / -name token.json | grep token'
attempt 'cat < "$WORLD/token.json"'
attempt 'source "$WORLD/token.json"'
attempt 'cd "$WORLD"'
over
