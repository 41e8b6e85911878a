;; tries: have many memories, each of which takes room for 4 GiB
;; expect: failed 126 or out of memory
(module {{90|(memory 0)}} (memory (export "memory") 1) (func (export "_start")))
