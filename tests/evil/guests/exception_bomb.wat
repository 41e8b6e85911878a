;; tries: throw exceptions without end
;; expect: timed out or out of memory or failed 134
;; limit: memory 64M
;; limit: time 2
(module (memory (export "memory") 1)
  (tag $e (param i64))
  (func (export "_start")
    (loop $l
      (block $caught (result i64)
        (try_table (catch $e $caught) (throw $e (i64.const 1)))
        (i64.const 0))
      drop
      (br $l))))
