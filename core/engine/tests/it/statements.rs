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

/// What may be read as a whole: tables that stay small however long a shop is in business, indexes of what
/// waits, and lists that a statement brings along.
const SMALL: &[&str] =
    &["schema_migrations", "signing_keys", "leases", "heartbeats", "outbox", "json_each"];

/// Goal: what a statement costs does not grow with the shop.
#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let schema = TestDatabase::sqlite().await;
    let mut scans = Vec::new();
    for statement in product() {
        let steps = schema.database().plan(statement).await.expect("it is understood");
        let is_scan = |step: &&String| {
            step.starts_with("SCAN ") && !SMALL.iter().any(|small| step.contains(small))
        };
        scans.extend(
            steps.iter().filter(is_scan).map(|step| format!("{}: {step}", statement.name())),
        );
    }
    assert_eq!(scans, Vec::<String>::new());
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
