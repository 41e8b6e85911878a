;; tries: take memory as objects of the collected heap
;; expect: out of memory or failed 126 or failed 134
;; limit: memory 64M
;; limit: time 20
(module (memory (export "memory") 1)
  (type $n (struct (field (ref null $n)) (field i64) (field i64) (field i64)))
  (func (export "_start") (local $x (ref null $n))
    (loop $l
      (local.set $x (struct.new $n (local.get $x) (i64.const 1) (i64.const 2) (i64.const 3)))
      (br $l))))
