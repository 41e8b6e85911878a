;; tries: reach the terminal through the name of an import
;; expect: failed 126
;; hides: [31m
(module (import "\1b[31mred" "\1b]0;title\07\n\nreason: finished" (func)) (func (export "_start")))
