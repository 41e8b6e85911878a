//! The words, texts and operators of a query.

use super::parse::QueryError;

/// A piece of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    Operator(&'static str),
    End,
}

/// Splits the text; every token with the place it begins at.
pub(super) fn tokenize(text: &str) -> Result<Vec<(usize, Token)>, QueryError> {
    const OPERATORS: [&str; 10] = ["<=", ">=", "!=", "=", "<", ">", "(", ")", "{", "}"];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let (token, after) = if first == '\'' {
            string(&rest[1..]).ok_or(QueryError { at, expected: "a closing quote" })?
        } else if let Some(operator) = OPERATORS.into_iter().find(|operator| rest.starts_with(operator)) {
            (Token::Operator(operator), &rest[operator.len()..])
        } else {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            if end == 0 {
                return Err(QueryError { at, expected: "a term or an operator" });
            }
            (Token::Word(rest[..end].to_owned()), &rest[end..])
        };
        tokens.push((at, token));
        rest = after.trim_start();
    }
    tokens.push((text.len(), Token::End));
    Ok(tokens)
}

/// The text up to the closing quote, and what follows. `\'` and `\\` are the two escapes.
fn string(rest: &str) -> Option<(Token, &str)> {
    let mut value = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Some((Token::Text(value), &rest[at + 1..])),
            '\\' => match chars.next()?.1 {
                escaped @ ('\'' | '\\') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            _ => value.push(c),
        }
    }
    None
}
