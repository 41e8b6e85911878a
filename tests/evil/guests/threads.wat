;; tries: share memory with threads
;; expect: failed 126
(module (import "wasi" "thread-spawn" (func (param i32) (result i32)))
  (memory (export "memory") 1 1 shared) (func (export "_start")))
