//! The SQL of the whole engine.

use handel_store::{Statement, all_statements};
use handel_testkit::{TestDatabase, both_databases};

/// A migrated database without a shop.
struct Schema(TestDatabase);

impl Schema {
    async fn start(test: TestDatabase) -> Self {
        Self(test)
    }

    async fn finish(&mut self) {}
}

/// The statements of the product, without those of its tests.
fn product() -> Vec<&'static Statement> {
    let own =
        |name: &str| name.starts_with("handel_engine::") || name.starts_with("handel_store::");
    all_statements().filter(|statement| own(statement.name())).collect()
}

#[test]
fn nearly_all_statements_have_one_text_for_both_databases() {
    let statements = product();
    let split = statements.iter().filter(|statement| statement.is_split()).count();
    assert!(statements.len() > 100, "only {} are registered", statements.len());
    assert!(split * 20 <= statements.len(), "{split} of {} are split", statements.len());
}

both_databases! {
    /// Goal: no statement fails only once somebody needs it.
    async fn every_statement_is_understood(schema: Schema) {
        let mut wrong = Vec::new();
        for statement in all_statements() {
            // Those of a test may be for one database only.
            if let Err(error) = schema.0.database().prepare(statement).await {
                wrong.push(format!("{}: {error:?}", statement.name()));
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
    }
}
