//! Measures a source file by its lines.
//!
//! Relies on rustfmt: what opens at an indent closes at the same indent. No parser is needed for that, and a
//! contributor can count along.

/// How long a file and its functions are, without its `#[cfg(test)]` modules.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Size {
    pub lines: usize,
    pub functions: Vec<Function>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// The first line of its signature, counted from one.
    pub line: usize,
    /// From the signature to the closing brace.
    pub lines: usize,
}

pub fn measure(text: &str) -> Size {
    let lines: Vec<_> = text.lines().collect();
    let mut size = Size::default();
    let mut index = 0;
    while index < lines.len() {
        if let Some(end) = test_module_end(&lines, index) {
            index = end + 1;
            continue;
        }
        if let Some(name) = function_name(lines[index]) {
            let length = function_end(&lines, index) - index + 1;
            size.functions.push(Function { name: name.to_owned(), line: index + 1, lines: length });
        }
        size.lines += 1;
        index += 1;
    }
    size
}

/// The last line of the test module whose `#[cfg(test)]` stands at `start`.
fn test_module_end(lines: &[&str], start: usize) -> Option<usize> {
    if !lines[start].trim_start().starts_with("#[cfg(test)]") {
        return None;
    }
    let is_attribute = |line: &&str| line.trim_start().starts_with("#[");
    let module = start + lines[start..].iter().take_while(|line| is_attribute(line)).count();
    let opens = lines.get(module).is_some_and(|line| is_module(line) && line.ends_with('{'));
    opens.then(|| block_end(lines, module))
}

fn is_module(line: &str) -> bool {
    without_visibility(line.trim_start()).starts_with("mod ")
}

/// The name of the function whose signature starts on this line.
fn function_name(line: &str) -> Option<&str> {
    let mut rest = without_visibility(line.trim_start());
    for qualifier in ["default ", "const ", "async ", "unsafe ", "extern \"C\" "] {
        rest = rest.strip_prefix(qualifier).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
}

fn without_visibility(line: &str) -> &str {
    let Some(rest) = line.strip_prefix("pub") else { return line };
    let rest = match rest.strip_prefix('(') {
        Some(scope) => scope.split_once(')').map_or(rest, |(_, rest)| rest),
        None => rest,
    };
    rest.strip_prefix(' ').unwrap_or(line)
}

/// The last line of the function that starts at `start`, whether it has a body or is only declared.
fn function_end(lines: &[&str], start: usize) -> usize {
    let indent = indent(lines[start]);
    for (index, line) in lines.iter().enumerate().skip(start) {
        if line.ends_with(';') || line.ends_with('}') {
            return index;
        }
        if line.ends_with('{') && self::indent(line) == indent {
            return block_end(lines, index);
        }
    }
    lines.len() - 1
}

/// The line that closes the block opened at `start`.
fn block_end(lines: &[&str], start: usize) -> usize {
    let indent = indent(lines[start]);
    let is_end = |line: &&str| self::indent(line) == indent && line.trim() == "}";
    lines[start..].iter().position(is_end).map_or(lines.len() - 1, |offset| start + offset)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions(text: &str) -> Vec<(String, usize, usize)> {
        measure(text)
            .functions
            .into_iter()
            .map(|function| (function.name, function.line, function.lines))
            .collect()
    }

    #[test]
    fn functions_are_found_whatever_stands_before_fn() {
        for before in [
            "",
            "pub ",
            "pub(crate) ",
            "pub(in crate::a) ",
            "const ",
            "async ",
            "pub(super) async unsafe ",
        ] {
            let text = format!("{before}fn place<T>(order: T) {{\n}}\n");
            assert_eq!(functions(&text), [("place".to_owned(), 1, 2)], "{text}");
        }
        assert_eq!(functions("let fn_name = 1;\n// fn no()\ntype F = fn (u8);\n"), []);
    }

    #[test]
    fn a_long_signature_counts_and_its_body_ends_at_its_indent() {
        let text = "impl A {\n    fn b(\n        c: u8,\n    ) -> D\n    where\n        D: E,\n    {\n        if c {\n        }\n    }\n\n    fn f() {}\n}\n";
        assert_eq!(functions(text), [("b".to_owned(), 2, 9), ("f".to_owned(), 12, 1)]);
    }

    #[test]
    fn a_declaration_ends_with_its_semicolon() {
        let text = "trait A {\n    fn b(\n        c: u8,\n    );\n    fn d<T>()\n    where\n        T: E;\n    fn f() {\n    }\n}\n";
        assert_eq!(
            functions(text),
            [("b".to_owned(), 2, 3), ("d".to_owned(), 5, 3), ("f".to_owned(), 8, 2)]
        );
    }

    #[test]
    fn a_function_inside_a_function_counts_in_both() {
        let text = "fn a() {\n    fn b() {\n    }\n}\n";
        assert_eq!(functions(text), [("a".to_owned(), 1, 4), ("b".to_owned(), 2, 2)]);
    }

    #[test]
    fn test_modules_count_neither_as_lines_nor_as_functions() {
        let text = "fn a() {}\n\n#[cfg(test)]\n#[path = \"x\"]\nmod tests {\n    fn b() {\n    }\n}\nfn c() {}\n";
        assert_eq!(functions(text), [("a".to_owned(), 1, 1), ("c".to_owned(), 9, 1)]);
        assert_eq!(measure(text).lines, 3);
    }

    #[test]
    fn a_test_module_in_its_own_file_leaves_the_rest_alone() {
        let text = "#[cfg(test)]\nmod tests;\n\n#[cfg(test)]\nfn only_in_tests() {\n}\n";
        assert_eq!(measure(text).lines, 6);
        assert_eq!(functions(text).len(), 1);
    }
}
