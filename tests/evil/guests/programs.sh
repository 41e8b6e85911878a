# tries: run programs of the machine, and one of its own
# expect: finished
# says: 5 refused
# with: file main = ELF
. code/attempts.sh "$@"
attempt './code/main'
attempt 'sudo id -u root | grep "^0"'
attempt 'docker ps'
attempt 'pip install x'
attempt 'kill -9 2'
over
