# tries: put links and special files among its outputs
# expect: finished
# says: 6 refused
# leaves: nothing
. code/attempts.sh "$@"
attempt 'ln -s /etc/passwd outputs/link'
attempt 'ln -s "$WORLD" outputs/folder'
attempt 'ln code/attempts.sh outputs/hard'
attempt 'mkfifo outputs/pipe'
attempt 'mknod outputs/device c 1 3'
attempt 'echo x > outputs/../../escaped'
over
