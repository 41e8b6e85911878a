;; tries: have the host wait for it until the end of time
;; expect: timed out
;; limit: time 1
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\01") (data (i32.const 24) "\ff\ff\ff\ff\ff\ff\ff\7f")
  (func (export "_start")
    (loop $l (drop (call $poll (i32.const 0) (i32.const 128) (i32.const 1) (i32.const 256))) (br $l))))
