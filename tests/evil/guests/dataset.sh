# tries: change the dataset in every way that bash knows
# expect: finished
# says: 11 refused
. code/attempts.sh "$@"
attempt 'echo x > $CSV'
attempt 'echo x >> $CSV'
attempt 'rm $CSV'
attempt 'mv $CSV /tmp/a.csv'
attempt 'touch -d 2001-01-01 $CSV'
attempt 'truncate -s 0 $CSV'
attempt 'sed -i s/p/q/ $CSV'
attempt 'cp code/attempts.sh $DATA/new'
attempt 'mkdir $DATA/new'
attempt 'ln $CSV outputs/hard'
attempt "python3 -c \"open('$CSV', 'w')\""
over
