;; tries: one write of buffers that together are larger than all memory
;; expect: log too large or failed 134 or output too large or failed 126
;; limit: log 100K
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 100)
  (func (export "_start") (local $i i32)
    (loop $l
      (i32.store (i32.mul (local.get $i) (i32.const 8)) (i32.const 65536))
      (i32.store offset=4 (i32.mul (local.get $i) (i32.const 8)) (i32.const 6000000))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const 1000))))
    (loop $w
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1000) (i32.const 60000)))
      (br $w))))
