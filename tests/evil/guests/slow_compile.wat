;; tries: take minutes to be compiled
;; expect: timed out
;; because: compiling
;; limit: compile-time 1
(module (memory (export "memory") 1)
  {{6000|(func (param i32) {{100|(local.set 0 (i32.add (local.get 0) (i32.load (local.get 0)))) (if (local.get 0) (then (local.set 0 (i32.mul (local.get 0) (local.get 0)))))}})}}
  (func (export "_start")))
