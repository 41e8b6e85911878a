;; tries: be a program of 2 GB
;; expect: failed 126
;; because: more than 67108864 bytes
;; pad: 2G
(module (memory (export "memory") 1) (func (export "_start")))
