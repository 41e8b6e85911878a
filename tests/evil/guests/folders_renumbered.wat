;; tries: put a folder that it may write in the place of one that it may only read, and write there
;; expect: finished
;; leaves: nothing
(module
  (import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink" (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_link" (func $link (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "data.csv../x")
  (func (export "_start") (local $from i32) (local $to i32)
    (local.set $from (i32.const 3))
    (loop $l
      (local.set $to (i32.const 3))
      (loop $m
        (drop (call $rename (local.get $from) (i32.const 0) (i32.const 8) (local.get $to) (i32.const 0) (i32.const 8)))
        (drop (call $rename (local.get $from) (i32.const 0) (i32.const 8) (local.get $to) (i32.const 8) (i32.const 4)))
        (if (i32.ne (call $link (local.get $from) (i32.const 0) (i32.const 0) (i32.const 8) (local.get $to) (i32.const 0) (i32.const 8)) (i32.const 63)) (then unreachable))
        (if (i32.ne (call $symlink (i32.const 0) (i32.const 8) (local.get $to) (i32.const 0) (i32.const 8)) (i32.const 63)) (then unreachable))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (br_if $m (i32.lt_u (local.get $to) (i32.const 20))))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $from) (i32.const 20))))
    (drop (call $renumber (i32.const 5) (i32.const 4)))
    (drop (call $renumber (i32.const 6) (i32.const 1)))))
