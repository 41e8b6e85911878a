;; tries: ask for more randomness than the host can hold
;; expect: failed 1 or failed 134 or failed 126
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 32768)
  (func (export "_start")
    (if (call $random (i32.const 0) (i32.const 2000000000)) (then unreachable))))
