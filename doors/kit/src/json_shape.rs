//! How many values a JSON text has, before anything is made of them.
//!
//! A parsed value takes many times the room of its text: `{"":0}` has 6 bytes and becomes a map.

/// Counts the values of a JSON text, its names included. Of a text that is no JSON, counts what a parser could have
/// made of it before it noticed.
pub(crate) fn count_values(text: &[u8]) -> usize {
    let mut count = 1;
    let mut rest = text;
    let is_mark = |byte: &u8| matches!(byte, b'"' | b',' | b':' | b'{' | b'[');
    while let Some(at) = rest.iter().position(is_mark) {
        let is_string = rest[at] == b'"';
        rest = &rest[at + 1..];
        if is_string {
            rest = after_string(rest);
        } else {
            count += 1;
        }
    }
    count
}

/// What follows the end of a string.
fn after_string(mut text: &[u8]) -> &[u8] {
    while let Some(at) = text.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
        let is_end = text[at] == b'"';
        // What is escaped is no end, whatever it is.
        text = text.get(at + if is_end { 1 } else { 2 }..).unwrap_or_default();
        if is_end {
            return text;
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_names_are_counted_and_texts_are_not_looked_into() {
        for (text, count) in [
            ("", 1),
            ("1", 1),
            (r#""a,b:[{""#, 1),
            (r#"{"a":1}"#, 3),
            (r#"[1,2,3]"#, 4),
            (r#"[{"":0},{"":0}]"#, 7),
            (r#"{"a\"b,":"\\","c":[]}"#, 6),
            ("[[[[", 5),
            (r#""never closed,,,,"#, 1),
            (r#"["\"#, 2),
        ] {
            assert_eq!(count_values(text.as_bytes()), count, "{text}");
        }
    }

    #[test]
    fn no_value_escapes_the_count() {
        let text = format!("[{}]", vec![r#"{"":0}"#; 10_000].join(","));
        assert!(count_values(text.as_bytes()) > 30_000);
    }
}
