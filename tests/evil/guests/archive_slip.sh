# tries: have an archive unpacked over what is outside
# expect: finished
# leaves: nothing
cd /tmp && mkdir deep && cd deep && echo x > escaped
tar cf ../a.tar ../deep/escaped
tar cPf ../b.tar /tmp/deep/escaped
cd /job && tar xf /tmp/a.tar; tar xPf /tmp/b.tar
tar xf /tmp/a.tar -C /syftbox; tar xf /tmp/a.tar -C /
cp /tmp/deep/escaped "$1/escaped"
exit 0
