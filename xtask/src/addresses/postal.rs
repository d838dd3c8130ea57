//! The regular expressions of postal codes, written as patterns that need no engine to match.
//!
//! In a pattern `#` is a digit, `@` a letter and `[…]` one of a class; alternatives stand between bars, and everything
//! else is itself.

use anyhow::{Result, bail, ensure};

/// The alternatives of a regular expression. What it may leave out between the halves of a code stays in.
pub fn patterns(expression: &str) -> Result<Vec<String>> {
    let mut rest = expression;
    let patterns = alternatives(&mut rest)?;
    ensure!(rest.is_empty(), "unread in {expression}: {rest}");
    Ok(patterns)
}

fn alternatives(rest: &mut &str) -> Result<Vec<String>> {
    let mut all = sequence(rest)?;
    while let Some(after) = rest.strip_prefix('|') {
        *rest = after;
        all.extend(sequence(rest)?);
    }
    Ok(all)
}

fn sequence(rest: &mut &str) -> Result<Vec<String>> {
    let mut so_far = vec![String::new()];
    while !rest.is_empty() && !rest.starts_with(['|', ')']) {
        let atom = atom(rest)?;
        let (least, most) = quantifier(rest)?;
        let is_separator = matches!(&atom[..], [only] if only == " " || only == "-");
        let least = if is_separator { most } else { least };
        let mut times = vec![String::new(); usize::from(least == 0)];
        let mut repeated = vec![String::new()];
        for count in 1..=most {
            repeated = joined(&repeated, &atom);
            if count >= least {
                times.extend(repeated.iter().cloned());
            }
        }
        // Longer alternatives first.
        times.reverse();
        so_far = joined(&so_far, &times);
        ensure!(so_far.len() <= 64, "too many alternatives");
    }
    Ok(so_far)
}

fn joined(before: &[String], after: &[String]) -> Vec<String> {
    let pair =
        |head: &String| after.iter().map(move |tail| format!("{head}{tail}")).collect::<Vec<_>>();
    before.iter().flat_map(pair).collect()
}

fn atom(rest: &mut &str) -> Result<Vec<String>> {
    for mark in ["^", "$", "\\b"] {
        if let Some(after) = rest.strip_prefix(mark) {
            *rest = after;
            return Ok(vec![String::new()]);
        }
    }
    if let Some(after) = rest.strip_prefix("\\d") {
        *rest = after;
        return Ok(vec!["#".to_owned()]);
    }
    if let Some(after) = rest.strip_prefix("(?:").or_else(|| rest.strip_prefix('(')) {
        *rest = after;
        let inner = alternatives(rest)?;
        let Some(after) = rest.strip_prefix(')') else { bail!("a group has no end") };
        *rest = after;
        return Ok(inner);
    }
    if let Some(after) = rest.strip_prefix('[') {
        let Some((class, after)) = after.split_once(']') else { bail!("a class has no end") };
        *rest = after;
        return Ok(vec![match class {
            "A-Z" => "@".to_owned(),
            " \\-" => "-".to_owned(),
            class => format!("[{}]", class.replace("\\d", "0-9")),
        }]);
    }
    let Some(first) = rest.chars().next() else { bail!("nothing is left") };
    ensure!(first.is_ascii_alphanumeric() || first == ' ' || first == '-', "cannot read {rest}");
    *rest = &rest[1..];
    Ok(vec![first.to_string()])
}

fn quantifier(rest: &mut &str) -> Result<(usize, usize)> {
    if let Some(after) = rest.strip_prefix('?') {
        *rest = after;
        return Ok((0, 1));
    }
    let Some(after) = rest.strip_prefix('{') else { return Ok((1, 1)) };
    let Some((counts, after)) = after.split_once('}') else { bail!("a count has no end") };
    *rest = after;
    let (least, most) = counts.split_once(',').unwrap_or((counts, counts));
    Ok((least.parse()?, most.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_become_patterns() {
        for (expression, expected) in [
            (r"\d{5}", &["#####"][..]),
            (r"(\d{5})(?:[ \-](\d{4}))?", &["#####-####", "#####"]),
            (r"\d{3} ?\d{2}", &["### ##"]),
            (r"\d{3}(?:\d{2,3})?", &["#####", "######", "###"]),
            (r"[1-9]\d ?(?:[A-RT-Z][A-Z]|S[BC])", &["[1-9]# S[BC]", "[1-9]# [A-RT-Z]@"]),
            (r"3[56]|72", &["3[56]", "72"]),
        ] {
            assert_eq!(patterns(expression).expect(expression), expected, "{expression}");
        }
        patterns("a+").expect_err("not all of the language is known");
    }
}
