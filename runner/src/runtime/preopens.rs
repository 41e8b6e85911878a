//! Where wasi-libc keeps the folders that it was given: a table that a snapshot must not have, for a job is
//! given others. Its address belongs to one exact build.

use std::ops::Range;

use wasmparser::{BinaryReaderError, FunctionBody, KnownCustom, Name, Operator, Parser, Payload, TypeRef};

/// The function that empties the table, and so tells where it is.
const RESET: &str = "__wasilibc_reset_preopens";
/// The table: a count, a pointer, a flag, a capacity, of four bytes each.
const BYTES: u64 = 16;

/// Why the table isn't known.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotFound {
    #[error(transparent)]
    Invalid(#[from] BinaryReaderError),
    #[error("its name section names no {RESET}")]
    NoFunction,
    #[error("{RESET} isn't the one of a known wasi-libc")]
    OtherLayout,
}

/// The bytes of memory to be zeroed.
pub(super) fn table(wasm: &[u8]) -> Result<Range<usize>, NotFound> {
    let (mut imported, mut bodies, mut index) = (0, Vec::new(), None);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    index = index_of(names)?.or(index);
                }
            }
            _ => {}
        }
    }
    let index = index.and_then(|index: u32| index.checked_sub(imported)).ok_or(NotFound::NoFunction)?;
    zeroed(bodies.get(index as usize).ok_or(NotFound::NoFunction)?)
}

fn index_of(sections: wasmparser::NameSectionReader<'_>) -> Result<Option<u32>, NotFound> {
    for section in sections {
        if let Name::Function(names) = section? {
            for naming in names {
                let naming = naming?;
                if naming.name == RESET {
                    return Ok(Some(naming.index));
                }
            }
        }
    }
    Ok(None)
}

/// The addresses that a function writes constant zeros to, which must be those of one whole table.
fn zeroed(body: &FunctionBody<'_>) -> Result<Range<usize>, NotFound> {
    let mut addresses = Vec::new();
    let mut before = [None; 2];
    for operator in body.get_operators_reader()? {
        let operator = operator?;
        if let Operator::I32Store { memarg } | Operator::I32Store8 { memarg } = operator
            && before == [Some(0); 2]
        {
            addresses.push(memarg.offset);
        }
        let constant = if let Operator::I32Const { value } = operator { Some(value) } else { None };
        before = [before[1], constant];
    }
    addresses.sort_unstable();
    match addresses[..] {
        [first, .., last] if addresses.len() == 4 && last - first == BYTES - 4 => {
            let at = usize::try_from(first).map_err(|_| NotFound::OtherLayout)?;
            Ok(at..at + 16)
        }
        _ => Err(NotFound::OtherLayout),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_of(text: &str) -> Result<Range<usize>, NotFound> {
        table(&wat::parse_str(text).unwrap())
    }

    /// As wasi-libc's is compiled.
    const RESETTING: &str = r#"(module
        (import "a" "f" (func))
        (memory 1)
        (func $other)
        (func $__wasilibc_reset_preopens
            (i32.store offset=5000 (i32.const 0) (i32.const 0))
            (i32.store8 offset=5004 (i32.const 0) (i32.const 0))
            (i32.store offset=4996 (i32.const 0) (i32.const 0))
            (i32.store offset=5008 (i32.const 0) (i32.const 0))))"#;

    #[test]
    fn the_table_is_where_zeros_are_written() {
        assert_eq!(table_of(RESETTING).unwrap(), 4996..5012);
    }

    #[test]
    fn another_build_is_refused() {
        assert!(matches!(table_of("(module (func $main))"), Err(NotFound::NoFunction)));
        assert!(matches!(table(b"no wasm"), Err(NotFound::Invalid(_))));
        for (from, to) in [
            ("offset=5008", "offset=5012"),
            ("(i32.store offset=5000 (i32.const 0) (i32.const 0))", ""),
            (
                "(i32.store offset=5000 (i32.const 0) (i32.const 0))",
                "(i32.store (i32.const 0) (i32.const 7))",
            ),
        ] {
            let other = table_of(&RESETTING.replace(from, to));
            assert!(matches!(other, Err(NotFound::OtherLayout)), "{to}: {other:?}");
        }
    }
}
