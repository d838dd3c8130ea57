//! Statements: SQL text that is written once, registered, and rendered for each database.
//!
//! The common text is PostgreSQL's with two conventions: parameters are `$1`, `$2`, …, and membership
//! in a list parameter is written `in list($1)`.

use std::sync::OnceLock;

use crate::value::Value;

/// Whether the rows that a select finds are locked until the end of the transaction. SQLite has one
/// writer at a time and needs no locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// They are not.
    None,
    /// They are; others wait.
    Wait,
    /// They are; rows that others have locked are left out.
    Skip,
}

/// A statement. Made by [`statements!`](crate::statements), which also registers it, so that a test can
/// prepare every statement on both databases.
pub struct Statement {
    name: &'static str,
    postgres: &'static str,
    sqlite: &'static str,
    lock: Lock,
    rendered_postgres: OnceLock<Box<str>>,
    rendered_sqlite: OnceLock<Box<str>>,
}

/// A statement with the values of its parameters.
pub struct Bound {
    pub(crate) statement: &'static Statement,
    pub(crate) values: Vec<Value>,
}

impl Statement {
    /// A statement with a text for each database, usually the same.
    pub const fn new(
        name: &'static str,
        postgres: &'static str,
        sqlite: &'static str,
        lock: Lock,
    ) -> Self {
        Self {
            name,
            postgres,
            sqlite,
            lock,
            rendered_postgres: OnceLock::new(),
            rendered_sqlite: OnceLock::new(),
        }
    }

    /// Gives the parameters their values, in order.
    pub fn bind(&'static self, values: Vec<Value>) -> Bound {
        Bound { statement: self, values }
    }

    /// Where it stands in the source: module path and constant.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the databases need different texts.
    pub fn is_split(&self) -> bool {
        self.postgres != self.sqlite
    }

    pub(crate) fn for_postgres(&self) -> &str {
        self.rendered_postgres.get_or_init(|| {
            let text = render_lists(self.postgres, |number| format!("= any(${number})"));
            let lock = match self.lock {
                Lock::None => "",
                Lock::Wait => " for update",
                Lock::Skip => " for update skip locked",
            };
            format!("{text}{lock}").into()
        })
    }

    pub(crate) fn for_sqlite(&self) -> &str {
        self.rendered_sqlite.get_or_init(|| {
            let text = render_lists(self.sqlite, |number| {
                format!("in (select value from json_each(${number}))")
            });
            // SQLite takes `$1` for a name; `?1` is a position.
            text.replace('$', "?").into()
        })
    }
}

/// Replaces each `in list($n)` by what the database calls it.
fn render_lists(text: &str, list: impl Fn(&str) -> String) -> String {
    let mut parts = text.split("in list($");
    let mut rendered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(')').expect("`in list($n)` is closed");
        rendered.push_str(&list(number));
        rendered.push_str(rest);
    }
    rendered
}

/// An entry of the register of all statements.
pub struct Registered(pub &'static Statement);

inventory::collect!(Registered);

/// Every statement of the program.
pub fn all_statements() -> impl Iterator<Item = &'static Statement> {
    inventory::iter::<Registered>().map(|registered| registered.0)
}

/// Declares and registers statements.
///
/// ```
/// handel_store::statements! {
///     FIND_LEASE = "select owner from leases where name = $1";
///     LOCK_LEASE for update = "select owner from leases where name = $1";
///     FIND_TWICE = text concat!("select owner from leases", " where name = $1");
///     COUNT_TABLES = postgres "select count(*) from pg_tables", sqlite "select count(*) from sqlite_schema";
/// }
/// assert!(FIND_LEASE.name().ends_with("FIND_LEASE"));
/// ```
#[macro_export]
macro_rules! statements {
    () => {};
    ($(#[$doc:meta])* $name:ident = postgres $postgres:literal, sqlite $sqlite:literal; $($rest:tt)*) => {
        $crate::statements!(@declare [$(#[$doc])*] $name, $postgres, $sqlite, $crate::Lock::None);
        $crate::statements! { $($rest)* }
    };
    ($(#[$doc:meta])* $name:ident for update = $text:literal; $($rest:tt)*) => {
        $crate::statements!(@declare [$(#[$doc])*] $name, $text, $text, $crate::Lock::Wait);
        $crate::statements! { $($rest)* }
    };
    ($(#[$doc:meta])* $name:ident for update skip locked = $text:literal; $($rest:tt)*) => {
        $crate::statements!(@declare [$(#[$doc])*] $name, $text, $text, $crate::Lock::Skip);
        $crate::statements! { $($rest)* }
    };
    ($(#[$doc:meta])* $name:ident = $text:literal; $($rest:tt)*) => {
        $crate::statements!(@declare [$(#[$doc])*] $name, $text, $text, $crate::Lock::None);
        $crate::statements! { $($rest)* }
    };
    ($(#[$doc:meta])* $name:ident = text $text:expr; $($rest:tt)*) => {
        $crate::statements!(@declare [$(#[$doc])*] $name, $text, $text, $crate::Lock::None);
        $crate::statements! { $($rest)* }
    };
    (@declare [$(#[$doc:meta])*] $name:ident, $postgres:expr, $sqlite:expr, $lock:expr) => {
        $(#[$doc])*
        pub(crate) static $name: $crate::Statement =
            $crate::Statement::new(concat!(module_path!(), "::", stringify!($name)), $postgres, $sqlite, $lock);
        $crate::inventory::submit! { $crate::Registered(&$name) }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_text_becomes_that_of_each_database() {
        static BOTH: Statement = Statement::new(
            "both",
            "select a from t where b in list($2) and c = $1",
            "select a from t where b in list($2) and c = $1",
            Lock::Wait,
        );
        assert_eq!(BOTH.for_postgres(), "select a from t where b = any($2) and c = $1 for update");
        assert_eq!(
            BOTH.for_sqlite(),
            "select a from t where b in (select value from json_each(?2)) and c = ?1"
        );
    }
}
