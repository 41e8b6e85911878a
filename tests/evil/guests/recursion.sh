# tries: functions and scripts that call themselves
# expect: failed 1
f() { f; }
( f )
bash "$0"
