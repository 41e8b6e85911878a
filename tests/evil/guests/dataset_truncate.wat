;; tries: empty the dataset with an open that asks for reading and for truncation, with every set of rights and from every folder
;; expect: finished
(module
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_size" (func $size (param i32 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_times" (func $times (param i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "data.csv")
  (func $try (param $fd i32) (param $how i32) (param $rights i64)
    (if (i32.eqz (call $open (local.get $fd) (i32.const 1) (i32.const 0) (i32.const 8) (local.get $how)
        (local.get $rights) (local.get $rights) (i32.const 0) (i32.const 64)))
      (then
        (drop (call $size (i32.load (i32.const 64)) (i64.const 0)))
        (drop (call $times (i32.load (i32.const 64)) (i64.const 1) (i64.const 1) (i32.const 5))))))
  (func (export "_start") (local $fd i32)
    (local.set $fd (i32.const 3))
    (loop $l
      (call $try (local.get $fd) (i32.const 8) (i64.const 2))
      (call $try (local.get $fd) (i32.const 8) (i64.const 0))
      (call $try (local.get $fd) (i32.const 8) (i64.const 0x1fffffff))
      (call $try (local.get $fd) (i32.const 9) (i64.const 66))
      (call $try (local.get $fd) (i32.const 0) (i64.const 0x1fffffff))
      (call $try (local.get $fd) (i32.const 0) (i64.const 2))
      (drop (call $unlink (local.get $fd) (i32.const 0) (i32.const 8)))
      (drop (call $times (local.get $fd) (i64.const 1) (i64.const 1) (i32.const 5)))
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $fd) (i32.const 24))))))
