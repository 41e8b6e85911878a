;; tries: be a program that can't be started
;; expect: failed 126
;; because: _start
(module)
