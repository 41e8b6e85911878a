;; tries: export a start that is no function of a command
;; expect: failed 126
(module (memory (export "_start") 1))
