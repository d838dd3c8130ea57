//! Descriptions of merchants as HTML that can do nothing but be read.
//!
//! Safe by construction: what comes out is made of escaped text and of tags from one fixed list, without attributes.
//! Everything else that looks like a tag is left out, and what was opened is closed.

/// Tags that are kept. Links and pictures are not among them.
const KEPT: [&str; 20] = [
    "p",
    "br",
    "ul",
    "ol",
    "li",
    "strong",
    "b",
    "em",
    "i",
    "h3",
    "h4",
    "blockquote",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "sub",
    "sup",
];
/// Tags that are written as others: a page has one heading of its own.
const RENAMED: [(&str, &str); 5] =
    [("h1", "h3"), ("h2", "h3"), ("h5", "h4"), ("h6", "h4"), ("div", "p")];
/// Tags whose content is no text for people.
const HIDDEN: [&str; 9] =
    ["script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title"];
/// Most tags that are open at once; deeper ones are left out.
const DEPTH_MAX: usize = 30;
/// Maximum length of the name of a character reference, in bytes.
const REFERENCE_MAX: usize = 10;

/// Makes safe HTML of what a merchant wrote. A text without tags becomes paragraphs.
pub(crate) fn clean(html: &str) -> String {
    if !html.contains('<') {
        return paragraphs(html);
    }
    let mut out = String::with_capacity(html.len());
    let mut open: Vec<&'static str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        escape(&rest[..at], &mut out);
        rest = &rest[at..];
        let Some(tag) = Tag::read(rest) else {
            out.push_str("&lt;");
            rest = &rest[1..];
            continue;
        };
        rest = &rest[tag.length..];
        match HIDDEN.iter().find(|hidden| **hidden == tag.name) {
            Some(hidden) if !tag.is_end => rest = after_end(rest, hidden),
            Some(_) => {}
            None => write(&tag, &mut open, &mut out),
        }
    }
    escape(rest, &mut out);
    for name in open.iter().rev() {
        end(name, &mut out);
    }
    out
}

/// The words of a description, without its tags, at most `max` characters.
pub(crate) fn words(html: &str, max: usize) -> String {
    let cleaned = clean(html);
    let mut text = String::new();
    let mut is_tag = false;
    for c in cleaned.chars() {
        match c {
            '<' => is_tag = true,
            '>' if is_tag => {
                is_tag = false;
                text.push(' ');
            }
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    let text = unescape(&text).split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(max) {
        None => text,
        Some((end, _)) => {
            let cut = text[..end].rfind(' ').unwrap_or(end);
            format!("{}…", &text[..cut])
        }
    }
}

/// A plain text with an empty line between its paragraphs.
pub(crate) fn paragraphs(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let text = text.replace("\r\n", "\n");
    for paragraph in text.split("\n\n").map(str::trim).filter(|text| !text.is_empty()) {
        out.push_str("<p>");
        for (at, line) in paragraph.lines().enumerate() {
            if at > 0 {
                out.push_str("<br>");
            }
            escape(line.trim(), &mut out);
        }
        out.push_str("</p>");
    }
    out
}

struct Tag {
    name: String,
    is_end: bool,
    /// How long it is in the text, with its brackets, in bytes.
    length: usize,
}

impl Tag {
    /// Reads a tag, a comment or a declaration at the start of a text.
    fn read(text: &str) -> Option<Self> {
        let nameless = |length| Self { name: String::new(), is_end: false, length };
        if let Some(comment) = text.strip_prefix("<!--") {
            return Some(nameless(comment.find("-->").map_or(text.len(), |end| end + 7)));
        }
        let inner = text.strip_prefix('<')?;
        let (is_end, inner) = match inner.strip_prefix('/') {
            Some(inner) => (true, inner),
            None => (false, inner),
        };
        if !is_end && inner.starts_with(['!', '?']) {
            return Some(nameless(text.find('>').map_or(text.len(), |end| end + 1)));
        }
        if !inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let name = inner.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        // A bracket between quotes is part of an attribute.
        let mut quote = None;
        for (at, c) in text.char_indices() {
            match (quote, c) {
                (None, '>') => {
                    return Some(Self { name: name.to_ascii_lowercase(), is_end, length: at + 1 });
                }
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if open == c => quote = None,
                _ => {}
            }
        }
        Some(nameless(text.len()))
    }
}

fn write(tag: &Tag, open: &mut Vec<&'static str>, out: &mut String) {
    let renamed = RENAMED.iter().find(|(from, _)| *from == tag.name).map(|(_, to)| *to);
    let kept = renamed.or_else(|| KEPT.iter().copied().find(|kept| *kept == tag.name));
    match (kept, tag.is_end) {
        (Some("br"), _) => out.push_str("<br>"),
        (Some(name), false) if open.len() < DEPTH_MAX => {
            out.push('<');
            out.push_str(name);
            out.push('>');
            open.push(name);
        }
        (Some(name), true) => {
            if let Some(at) = open.iter().rposition(|known| *known == name) {
                for inner in open.drain(at..).rev() {
                    end(inner, out);
                }
            }
        }
        // A word on each side of it must not become one.
        _ => out.push(' '),
    }
}

fn end(name: &str, out: &mut String) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// What comes after the end tag of a hidden element.
fn after_end<'t>(text: &'t str, name: &str) -> &'t str {
    let is_named = |at: usize| {
        let rest = text.as_bytes().get(at + 2..).unwrap_or_default();
        rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
    };
    let Some((at, _)) = text.match_indices("</").find(|(at, _)| is_named(*at)) else { return "" };
    text[at..].find('>').map_or("", |end| &text[at + end + 1..])
}

/// Escapes a text, and leaves references to characters as they are.
fn escape(text: &str, out: &mut String) {
    for (at, c) in text.char_indices() {
        match c {
            '&' if is_reference(&text[at..]) => out.push('&'),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// Whether a text begins with a reference such as `&amp;` or `&#8211;`. Looks no further than one can be long.
fn is_reference(text: &str) -> bool {
    let rest = text.as_bytes().get(1..).unwrap_or_default();
    let near = &rest[..rest.len().min(REFERENCE_MAX + 1)];
    let Some(end) = near.iter().position(|byte| *byte == b';') else { return false };
    let name = &near[..end];
    name.len() >= 2
        && match name.strip_prefix(b"#") {
            Some(digits) => digits.iter().all(u8::is_ascii_digit),
            None => name.iter().all(u8::is_ascii_alphanumeric),
        }
}

fn unescape(text: &str) -> String {
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scraper::{Html, Node};

    use super::*;

    #[test]
    fn what_people_wrote_stays() {
        let html = "<p>Soft <b>wool</b> &amp; linen</p><ul><li>One<li>Two</ul>";
        assert_eq!(
            clean(html),
            "<p>Soft <b>wool</b> &amp; linen</p><ul><li>One<li>Two</li></li></ul>"
        );
        assert_eq!(clean("One\n\nTwo\nthree"), "<p>One</p><p>Two<br>three</p>");
        assert_eq!(clean("Fish & chips < 5 <3"), "Fish &amp; chips &lt; 5 &lt;3");
        assert_eq!(clean("<h1>Big</h1>"), "<h3>Big</h3>");
    }

    #[test]
    fn what_could_act_is_left_out() {
        for html in [
            "<script>alert(1)</script>",
            "<SCRIPT src=//evil.example></SCRIPT >",
            "<img src=x onerror=alert(1)>",
            "<a href='javascript:alert(1)'></a>",
            "<style>*{display:none}</style>",
            "<svg><script>alert(1)</script></svg>",
            "<!-- <p> -->",
            "<iframe srcdoc='<p>'></iframe>",
        ] {
            assert_eq!(clean(html).trim(), "", "{html}");
        }
        assert_eq!(clean("<p onclick='a>b()' class=x>Text</p>"), "<p>Text</p>");
        assert_eq!(clean("<p>unclosed <b title=\">"), "<p>unclosed  </p>");
    }

    #[test]
    fn character_references_stay_and_other_ampersands_are_escaped() {
        assert_eq!(clean("<p>&#8211; &CounterCl; &nbsp;"), "<p>&#8211; &CounterCl; &nbsp;</p>");
        assert_eq!(clean("<p>&#8211 &a; &elevenchars; &#x2f;&"), {
            "<p>&amp;#8211 &amp;a; &amp;elevenchars; &amp;#x2f;&amp;</p>"
        });
    }

    /// Work that grows with the square of the length would take hours here.
    #[test]
    fn a_description_is_read_in_one_pass_whatever_is_in_it() {
        for part in
            ["&", "&a", "<script></script>", "<", "</", "<p>", "<!--", "<a \"", "<style></STYLE>"]
        {
            let text = format!("<b>{}", part.repeat((4 << 20) / part.len()));
            assert!(clean(&text).starts_with("<b>"), "{part}");
        }
    }

    #[test]
    fn the_words_of_a_description_are_short() {
        assert_eq!(words("<p>Fish &amp; chips</p><p>twice</p>", 100), "Fish & chips twice");
        assert_eq!(words("<p>one two three</p>", 9), "one two…");
    }

    proptest! {
        /// Whatever is sent, a browser finds nothing but the tags of the list, without attributes.
        #[test]
        fn nothing_else_comes_out(html in "(<|</|>|\"|'|=|&|;|#|!--|--|p|script|style|svg|img|onload|b|li|td| |\n|x|ß){0,60}") {
            let tree = Html::parse_fragment(&clean(&html));
            for node in tree.tree.values() {
                match node {
                    Node::Element(element) => {
                        let name = element.name();
                        // What a parser adds around every fragment.
                        let is_frame = ["html", "head", "body", "colgroup"].contains(&name);
                        prop_assert!(KEPT.contains(&name) || is_frame, "{} in {}", name, html);
                        prop_assert_eq!(element.attrs().count(), 0);
                    }
                    Node::Comment(_) => prop_assert!(false, "a comment in {}", html),
                    _ => {}
                }
            }
        }
    }
}
