# tries: call out with what bash has for that
# expect: finished
# says: 6 refused
. code/attempts.sh "$@"
attempt 'exec 3<>/dev/tcp/127.0.0.1/$PORT'
attempt 'echo x > /dev/udp/127.0.0.1/$PORT'
attempt 'curl -s http://127.0.0.1:$PORT/'
attempt 'wget -q http://127.0.0.1:$PORT/'
attempt 'nc 127.0.0.1 $PORT'
attempt "python3 -c \"import socket; socket.create_connection(('127.0.0.1', $PORT))\""
over
