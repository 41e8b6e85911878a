;; tries: take memory as tables, which isn't the memory that is counted
;; expect: out of memory
;; limit: memory 64M
(module (memory (export "memory") 1)
  {{90|(table 1000000 funcref)}}
  (func (export "_start") unreachable))
