;; tries: have the host wait for more things than it can hold
;; expect: failed 134 or failed 126 or timed out or finished
;; limit: time 10
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 30000)
  (func (export "_start")
    (drop (call $poll (i32.const 0) (i32.const 1000000000) (i32.const 20000000) (i32.const 256)))))
