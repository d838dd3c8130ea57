//! Patterns as SQL.

use std::ops::Range;

use serde_json::Value;

use super::{Cell, Op, pattern::PLACES_MAX};

/// How statements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// Expressions for what is open in a pattern.
#[derive(Clone, Copy, Debug)]
pub struct Variables<'a> {
    /// The number of the copy.
    pub copy: &'a str,
    /// The number of its article.
    pub article: &'a str,
}

/// The statement that makes a new row. `write` turns a column into SQL.
pub fn insert(op: &Op, write: &mut dyn FnMut(&Cell) -> String) -> String {
    format!("insert into {} ({}) values ({})", op.table, columns(op), values(op, write))
}

/// The statement that changes a row, for so many copies at once.
pub fn update(op: &Op, times: i64, write: &mut dyn FnMut(&Cell) -> String) -> String {
    let mut assign = |(column, cell): &(String, Cell)| match cell {
        Cell::Plus(delta) => format!("{column} = {column} + {}", delta * times),
        cell => format!("{column} = {}", write(cell)),
    };
    let cells: Vec<_> = op.cells.iter().map(&mut assign).collect();
    let test = |(column, cell): &(String, Cell)| format!("{column} = {}", write(cell));
    let key: Vec<_> = op.key.iter().map(test).collect();
    format!("update {} set {} where {}", op.table, cells.join(", "), key.join(" and "))
}

/// The statement that makes the rows of many copies, every `step`th one of a range, about so many articles
/// in turn.
pub fn fill(op: &Op, dialect: Dialect, copies: &Range<i64>, step: i64, articles: i64) -> String {
    let article = format!("(n % {articles})");
    let variables = Variables { copy: "n", article: &article };
    let values = values(op, &mut |cell| value(cell, dialect, variables));
    let (table, columns) = (&op.table, columns(op));
    let Range { start, end } = copies;
    match dialect {
        Dialect::Sqlite => format!(
            "insert into {table} ({columns})
             with recursive copies (n) as (select {start} where {start} < {end}
                 union all select n + {step} from copies where n + {step} < {end})
             select {values} from copies"
        ),
        Dialect::Postgres => format!(
            "insert into {table} ({columns})
             select {values} from generate_series({start}::bigint, {end}::bigint - 1, {step}) n"
        ),
    }
}

fn columns(op: &Op) -> String {
    op.cells.iter().map(|(column, _)| &**column).collect::<Vec<_>>().join(", ")
}

fn values(op: &Op, write: &mut dyn FnMut(&Cell) -> String) -> String {
    op.cells.iter().map(|(_, cell)| write(cell)).collect::<Vec<_>>().join(", ")
}

/// A column as an expression.
pub fn value(cell: &Cell, dialect: Dialect, variables: Variables<'_>) -> String {
    let Variables { copy, article } = variables;
    match cell {
        Cell::Fixed(value) => literal(value, dialect),
        Cell::Own { prefix, place } => id(prefix, copy, *place, dialect),
        Cell::Article { prefix, place } => id(prefix, article, *place, dialect),
        Cell::Number => copy.to_owned(),
        Cell::Text { text, token } => {
            let text = literal(&Value::String(text.clone()), dialect);
            format!("replace({text}, '{token}', cast({copy} as text))")
        }
        Cell::Plus(delta) => delta.to_string(),
    }
}

fn id(prefix: &str, number: &str, place: u32, dialect: Dialect) -> String {
    let prefix = quoted(&format!("{prefix}_"), dialect);
    let number = format!("{number} * {PLACES_MAX} + {place}");
    match dialect {
        Dialect::Sqlite => format!("{prefix} || printf('%026d', {number})"),
        Dialect::Postgres => format!("{prefix} || lpad(({number})::text, 26, '0')"),
    }
}

/// A value as it is written in a statement.
fn literal(value: &Value, dialect: Dialect) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text, dialect),
        Value::Array(_) | Value::Object(_) => quoted(&value.to_string(), dialect),
    }
}

/// pgbench takes `:word` for a variable, even within a text, so PostgreSQL gets its colons another way.
fn quoted(text: &str, dialect: Dialect) -> String {
    let text = text.replace('\'', "''");
    if dialect == Dialect::Sqlite || !text.contains([':', '\\']) {
        return format!("'{text}'");
    }
    format!("E'{}'", text.replace('\\', r"\\").replace(':', r"\x3a"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sqlite(cell: &Cell) -> String {
        value(cell, Dialect::Sqlite, Variables { copy: "7", article: "3" })
    }

    fn order() -> Op {
        let cells = vec![
            ("id".to_owned(), Cell::Own { prefix: "ord".to_owned(), place: 2 }),
            ("variant_id".to_owned(), Cell::Article { prefix: "var".to_owned(), place: 1 }),
            ("number".to_owned(), Cell::Number),
            ("detail".to_owned(), Cell::Fixed(json!({ "it's": "10:30" }))),
        ];
        Op { table: "orders".to_owned(), is_new: true, key: cells[..1].to_vec(), cells }
    }

    /// What SQLite makes of a statement, as texts.
    fn stored(statements: &str) -> Vec<String> {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "create table orders (id text, variant_id text, number integer, detail text)",
            )
            .unwrap();
        connection.execute_batch(statements).unwrap();
        let query = "select id || ' ' || variant_id || ' ' || number || ' ' || detail from orders";
        let mut query = connection.prepare(query).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn a_copy_has_its_own_ids_and_those_of_its_article() {
        let [row] = &stored(&insert(&order(), &mut sqlite))[..] else { panic!() };
        assert_eq!(
            row,
            r#"ord_00000000000000000000000702 var_00000000000000000000000301 7 {"it's":"10:30"}"#
        );
    }

    #[test]
    fn a_range_of_copies_is_made_at_once() {
        let rows = stored(&fill(&order(), Dialect::Sqlite, &(10..15), 2, 3));
        let numbers: Vec<_> = rows.iter().map(|row| row.split(' ').nth(2).unwrap()).collect();
        assert_eq!(numbers, ["10", "12", "14"]);
        assert!(stored(&fill(&order(), Dialect::Sqlite, &(5..5), 2, 3)).is_empty());
    }

    #[test]
    fn what_copies_share_adds_up() {
        let op = Op { is_new: false, cells: vec![("number".to_owned(), Cell::Plus(2))], ..order() };
        let changed = update(&op, 5, &mut sqlite);
        let [row] = &stored(&format!("{}; {changed}", insert(&order(), &mut sqlite)))[..] else {
            panic!()
        };
        assert_eq!(row.split(' ').nth(2), Some("17"));
    }

    #[test]
    fn a_text_keeps_its_colons_from_pgbench() {
        let text = literal(&json!({ "a": true, "path": "c:\\'" }), Dialect::Postgres);
        assert_eq!(text, r#"E'{"a"\x3atrue,"path"\x3a"c\x3a\\\\''"}'"#);
    }
    #[test]
    fn an_id_keeps_its_colons_from_pgbench() {
        let actor = Cell::Own { prefix: "shopper:cart".to_owned(), place: 2 };
        let actor = value(&actor, Dialect::Postgres, Variables { copy: "n", article: "k" });
        assert_eq!(actor, r"E'shopper\x3acart_' || lpad((n * 100 + 2)::text, 26, '0')");
    }
}
