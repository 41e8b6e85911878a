;; tries: take more memory to be compiled than there is
;; expect: out of memory or failed 126 or timed out
;; limit: compile-memory 64M
;; limit: compile-time 10
(module (memory (export "memory") 1)
  {{1500|(func (param i32) {{100|(local.set 0 (i32.add (local.get 0) (i32.load (local.get 0)))) (if (local.get 0) (then (local.set 0 (i32.mul (local.get 0) (local.get 0)))))}})}}
  (func (export "_start")))
