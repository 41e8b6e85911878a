;; tries: use its handles as sockets
;; expect: finished
(module
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_shutdown" (func $shutdown (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $fd i32)
    (loop $l
      (if (i32.eqz (call $accept (local.get $fd) (i32.const 0) (i32.const 64))) (then unreachable))
      (if (i32.eqz (call $shutdown (local.get $fd) (i32.const 3))) (then unreachable))
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $fd) (i32.const 40))))))
