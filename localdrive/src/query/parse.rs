//! Parsing `q`: a recursive descent over its tokens, `not` binding tightest, then `and`, then `or`.

use super::{
    Comparison, Flag, Needed, Person, Query, TextTest, TimeField, Visibility,
    tokens::{Token, tokenize},
};
use crate::store::Millis;

/// Parentheses and `not` inside one another, so that no query can exhaust the stack.
const MAX_DEPTH: usize = 100;
/// Terms of one query.
const MAX_TERMS: usize = 1000;

/// A text that is no query, and where it stops being one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid query at character {at}: {expected} expected.")]
pub(crate) struct QueryError {
    pub(super) at: usize,
    pub(super) expected: &'static str,
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    terms: usize,
}

/// Parses a query.
pub(crate) fn parse(text: &str) -> Result<Query, QueryError> {
    let mut parser = Parser { tokens: tokenize(text)?, next: 0, terms: 0 };
    let query = parser.either(0)?;
    match parser.peek() {
        Token::End => Ok(query),
        _ => Err(parser.expected("and, or, or the end")),
    }
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(_, token)| token)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn expected(&self, expected: &'static str) -> QueryError {
        let at = self.tokens.get(self.next).or(self.tokens.last()).map_or(0, |(at, _)| *at);
        QueryError { at, expected }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn operator(&mut self, operator: &'static str) -> Result<(), QueryError> {
        if *self.peek() != Token::Operator(operator) {
            return Err(self.expected(operator));
        }
        self.next += 1;
        Ok(())
    }

    fn either(&mut self, depth: usize) -> Result<Query, QueryError> {
        let mut left = self.both(depth)?;
        while self.is_word("or") {
            self.next += 1;
            left = Query::Or(Box::new(left), Box::new(self.both(depth)?));
        }
        Ok(left)
    }

    fn both(&mut self, depth: usize) -> Result<Query, QueryError> {
        let mut left = self.single(depth)?;
        while self.is_word("and") {
            self.next += 1;
            left = Query::And(Box::new(left), Box::new(self.single(depth)?));
        }
        Ok(left)
    }

    fn single(&mut self, depth: usize) -> Result<Query, QueryError> {
        if depth > MAX_DEPTH || self.terms > MAX_TERMS {
            return Err(self.expected("a shorter query"));
        }
        if self.is_word("not") {
            self.next += 1;
            return Ok(Query::Not(Box::new(self.single(depth + 1)?)));
        }
        if *self.peek() == Token::Operator("(") {
            self.next += 1;
            let inner = self.either(depth + 1)?;
            self.operator(")")?;
            return Ok(inner);
        }
        self.terms += 1;
        match self.peek().clone() {
            Token::Text(value) => {
                self.next += 1;
                self.membership(value)
            }
            Token::Word(field) => self.term(&field),
            _ => Err(self.expected("a term")),
        }
    }

    /// `'value' in collection`.
    fn membership(&mut self, value: String) -> Result<Query, QueryError> {
        if !self.is_word("in") {
            return Err(self.expected("in"));
        }
        self.next += 1;
        let needed = match self.peek() {
            Token::Word(collection) => match collection.as_str() {
                "parents" => {
                    self.next += 1;
                    return Ok(Query::InParents(value));
                }
                "owners" => Needed::Owner,
                "writers" => Needed::Writer,
                "readers" => Needed::Reader,
                _ => return Err(self.expected("parents, owners, writers or readers")),
            },
            _ => return Err(self.expected("parents, owners, writers or readers")),
        };
        self.next += 1;
        let person = match value.as_str() {
            "me" => Person::Me,
            address => address.parse().map_or(Person::Nobody, Person::Account),
        };
        Ok(Query::HasAccess(person, needed))
    }

    /// `field operator value`.
    fn term(&mut self, field: &str) -> Result<Query, QueryError> {
        let time = match field {
            "createdTime" => Some(TimeField::Created),
            "modifiedTime" => Some(TimeField::Modified),
            "viewedByMeTime" => Some(TimeField::ViewedByMe),
            "sharedWithMeTime" => Some(TimeField::SharedWithMe),
            _ => None,
        };
        let flag = match field {
            "trashed" => Some(Flag::Trashed),
            "starred" => Some(Flag::Starred),
            "sharedWithMe" => Some(Flag::SharedWithMe),
            _ => None,
        };
        let known = ["name", "mimeType", "fullText", "properties", "appProperties", "visibility"];
        if time.is_none() && flag.is_none() && !known.contains(&field) && field != "shortcutDetails.targetId"
        {
            return Err(self.expected("a known term"));
        }
        self.next += 1;
        if let Some(time) = time {
            let comparison = self.comparison()?;
            return Ok(Query::Time(time, comparison, self.time()?));
        }
        if let Some(flag) = flag {
            return self.flag(flag);
        }
        match field {
            "name" => self.text_test().map(Query::Name),
            "mimeType" => self.text_test().map(Query::MimeType),
            "fullText" => match self.text_test()? {
                TextTest::Contains(text) => Ok(Query::FullText(text)),
                _ => Err(self.expected("contains")),
            },
            "visibility" => self.visibility(),
            "shortcutDetails.targetId" => match self.text_test()? {
                TextTest::Is(_) => Ok(Query::Nothing),
                TextTest::IsNot(_) => Ok(Query::Not(Box::new(Query::Nothing))),
                TextTest::Contains(_) => Err(self.expected("= or !=")),
            },
            _ => self.property(field == "appProperties"),
        }
    }

    fn text(&mut self) -> Result<String, QueryError> {
        match self.peek().clone() {
            Token::Text(value) => {
                self.next += 1;
                Ok(value)
            }
            _ => Err(self.expected("a text in single quotes")),
        }
    }

    fn text_test(&mut self) -> Result<TextTest, QueryError> {
        if self.is_word("contains") {
            self.next += 1;
            return self.text().map(TextTest::Contains);
        }
        match self.peek() {
            Token::Operator("=") => {
                self.next += 1;
                self.text().map(TextTest::Is)
            }
            Token::Operator("!=") => {
                self.next += 1;
                self.text().map(TextTest::IsNot)
            }
            _ => Err(self.expected("contains, = or !=")),
        }
    }

    fn comparison(&mut self) -> Result<Comparison, QueryError> {
        let comparison = match self.peek() {
            Token::Operator("<") => Comparison::Less,
            Token::Operator("<=") => Comparison::LessOrEqual,
            Token::Operator("=") => Comparison::Equal,
            Token::Operator("!=") => Comparison::NotEqual,
            Token::Operator(">=") => Comparison::GreaterOrEqual,
            Token::Operator(">") => Comparison::Greater,
            _ => return Err(self.expected("a comparison")),
        };
        self.next += 1;
        Ok(comparison)
    }

    /// A time as RFC 3339 writes it; UTC when it names no offset, midnight when it names no time.
    fn time(&mut self) -> Result<Millis, QueryError> {
        let error = self.expected("a time like '2026-01-31T12:00:00'");
        let Token::Text(text) = self.take() else { return Err(error) };
        let zoned = text.parse::<jiff::Timestamp>();
        let plain = || text.parse::<jiff::civil::DateTime>()?.to_zoned(jiff::tz::TimeZone::UTC);
        let time = zoned.or_else(|_| plain().map(|time| time.timestamp()));
        time.map(jiff::Timestamp::as_millisecond).map_err(|_| error)
    }

    /// `flag`, `flag = true`, `flag != false` and so on.
    fn flag(&mut self, flag: Flag) -> Result<Query, QueryError> {
        let wanted = match self.peek() {
            Token::Operator("=") => true,
            Token::Operator("!=") => false,
            _ => return Ok(Query::Flag(flag, true)),
        };
        self.next += 1;
        let value = if self.is_word("true") {
            true
        } else if self.is_word("false") {
            false
        } else {
            return Err(self.expected("true or false"));
        };
        self.next += 1;
        Ok(Query::Flag(flag, value == wanted))
    }

    fn visibility(&mut self) -> Result<Query, QueryError> {
        let error = self.expected("= or != and a visibility");
        let (is, name) = match self.text_test()? {
            TextTest::Is(name) => (true, name),
            TextTest::IsNot(name) => (false, name),
            TextTest::Contains(_) => return Err(error),
        };
        let visibility = match name.as_str() {
            "anyoneCanFind" => Visibility::AnyoneCanFind,
            "anyoneWithLink" => Visibility::AnyoneWithLink,
            "domainCanFind" => Visibility::DomainCanFind,
            "domainWithLink" => Visibility::DomainWithLink,
            "limited" => Visibility::Limited,
            _ => return Err(error),
        };
        Ok(Query::Visibility(is, visibility))
    }

    /// `has { key='k' and value='v' }`.
    fn property(&mut self, app: bool) -> Result<Query, QueryError> {
        if !self.is_word("has") {
            return Err(self.expected("has"));
        }
        self.next += 1;
        self.operator("{")?;
        let key = self.member("key")?;
        if !self.is_word("and") {
            return Err(self.expected("and"));
        }
        self.next += 1;
        let value = self.member("value")?;
        self.operator("}")?;
        Ok(Query::Property { app, key, value })
    }

    fn member(&mut self, name: &'static str) -> Result<String, QueryError> {
        if !self.is_word(name) {
            return Err(self.expected(name));
        }
        self.next += 1;
        self.operator("=")?;
        self.text()
    }
}
