;; tries: fill the disk with its log
;; expect: log too large
;; limit: log 100K
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\06\00\00\00") (data (i32.const 16) "words\n")
  (func (export "_start")
    (loop $l (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64))) (br $l))))
