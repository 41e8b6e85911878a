//! Every query that can be written is read as what it says, and nothing makes the parser fail otherwise than
//! by refusing.

use proptest::prelude::*;

use super::{Comparison, Flag, Needed, Person, Query, TextTest, TimeField, Visibility, parse};

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn written_test(test: &TextTest) -> String {
    match test {
        TextTest::Is(text) => format!("= {}", quoted(text)),
        TextTest::IsNot(text) => format!("!= {}", quoted(text)),
        TextTest::Contains(text) => format!("contains {}", quoted(text)),
    }
}

/// A query as text. Parentheses stand only where the reading needs them.
fn written(query: &Query) -> String {
    match query {
        Query::And(left, right) => format!("{} and {}", grouped(left, 1), grouped(right, 2)),
        Query::Or(left, right) => format!("{} or {}", grouped(left, 0), grouped(right, 1)),
        Query::Not(inner) => format!("not {}", grouped(inner, 2)),
        Query::Name(test) => format!("name {}", written_test(test)),
        Query::MimeType(test) => format!("mimeType {}", written_test(test)),
        Query::FullText(text) => format!("fullText contains {}", quoted(text)),
        Query::Time(field, comparison, millis) => {
            let field = match field {
                TimeField::Created => "createdTime",
                TimeField::Modified => "modifiedTime",
                TimeField::ViewedByMe => "viewedByMeTime",
                TimeField::SharedWithMe => "sharedWithMeTime",
            };
            let comparison = match comparison {
                Comparison::Less => "<",
                Comparison::LessOrEqual => "<=",
                Comparison::Equal => "=",
                Comparison::NotEqual => "!=",
                Comparison::GreaterOrEqual => ">=",
                Comparison::Greater => ">",
            };
            format!("{field}{comparison}'{}'", crate::resource::time(*millis))
        }
        Query::Flag(flag, wanted) => {
            let flag = match flag {
                Flag::Trashed => "trashed",
                Flag::Starred => "starred",
                Flag::SharedWithMe => "sharedWithMe",
            };
            format!("{flag} = {wanted}")
        }
        Query::InParents(folder) => format!("{} in parents", quoted(folder)),
        Query::HasAccess(person, needed) => {
            let person = match person {
                Person::Me => "me".to_owned(),
                Person::Account(email) => email.to_string(),
                Person::Nobody => "nobody".to_owned(),
            };
            let collection = match needed {
                Needed::Owner => "owners",
                Needed::Writer => "writers",
                Needed::Reader => "readers",
            };
            format!("'{person}' in {collection}")
        }
        Query::Property { app, key, value } => {
            let field = if *app { "appProperties" } else { "properties" };
            format!("{field} has {{ key={} and value={} }}", quoted(key), quoted(value))
        }
        Query::Visibility(is, _) => format!("visibility {} 'limited'", if *is { "=" } else { "!=" }),
        Query::Nothing => "shortcutDetails.targetId = 'x'".to_owned(),
    }
}

fn grouped(query: &Query, needed: u8) -> String {
    let strength = match query {
        Query::Or(..) => 0,
        Query::And(..) => 1,
        _ => 2,
    };
    if strength < needed { format!("({})", written(query)) } else { written(query) }
}

fn text_test() -> impl Strategy<Value = TextTest> {
    let text = any::<String>();
    (0..3, text).prop_map(|(kind, text)| match kind {
        0 => TextTest::Is(text),
        1 => TextTest::IsNot(text),
        _ => TextTest::Contains(text),
    })
}

fn term() -> impl Strategy<Value = Query> {
    let fields = prop::sample::select(vec![
        TimeField::Created,
        TimeField::Modified,
        TimeField::ViewedByMe,
        TimeField::SharedWithMe,
    ]);
    let comparisons = prop::sample::select(vec![
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::GreaterOrEqual,
        Comparison::Greater,
    ]);
    let flags = prop::sample::select(vec![Flag::Trashed, Flag::Starred, Flag::SharedWithMe]);
    let people =
        prop::sample::select(vec![Person::Me, Person::Nobody, Person::Account("a@x.org".parse().unwrap())]);
    let needed = prop::sample::select(vec![Needed::Owner, Needed::Writer, Needed::Reader]);
    prop_oneof![
        text_test().prop_map(Query::Name),
        text_test().prop_map(Query::MimeType),
        any::<String>().prop_map(Query::FullText),
        (fields, comparisons, 0..4_000_000_000_000_i64).prop_map(|(f, c, at)| Query::Time(f, c, at)),
        (flags, any::<bool>()).prop_map(|(flag, wanted)| Query::Flag(flag, wanted)),
        any::<String>().prop_map(Query::InParents),
        (people, needed).prop_map(|(person, needed)| Query::HasAccess(person, needed)),
        (any::<bool>(), any::<String>(), any::<String>()).prop_map(|(app, key, value)| Query::Property {
            app,
            key,
            value
        }),
        any::<bool>().prop_map(|is| Query::Visibility(is, Visibility::Limited)),
        Just(Query::Nothing),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    term().prop_recursive(6, 40, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Query::And(left.into(), right.into())),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Query::Or(left.into(), right.into())),
            inner.prop_map(|inner| Query::Not(inner.into())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(query in query()) {
        let text = written(&query);
        prop_assert_eq!(parse(&text), Ok(query), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        drop(parse(&text));
    }

    #[test]
    fn any_row_of_tokens_is_read_or_refused(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "name", "trashed", "modifiedTime", "properties", "has", "{", "}", "key", "value", "in", "parents",
                "owners", "not", "and", "or", "(", ")", "=", "!=", "<", "contains", "true", "'x'", "'me'", "'\\''",
            ]),
            0..30,
        ),
    ) {
        drop(parse(&tokens.join(" ")));
    }
}

#[test]
fn and_binds_tighter_than_or_and_not_tightest() {
    let flag = |flag| Query::Flag(flag, true);
    let expected = Query::Or(
        Box::new(Query::And(Box::new(Query::Not(flag(Flag::Trashed).into())), flag(Flag::Starred).into())),
        Box::new(flag(Flag::SharedWithMe)),
    );
    assert_eq!(parse("not trashed and starred or sharedWithMe"), Ok(expected));
}

#[test]
fn a_refusal_says_where_and_what() {
    assert_eq!(
        parse("name ~ 'x'").unwrap_err().to_string(),
        "Invalid query at character 5: a term or an operator expected."
    );
    assert_eq!(
        parse("trashed = maybe").unwrap_err().to_string(),
        "Invalid query at character 10: true or false expected."
    );
}
