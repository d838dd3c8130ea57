//! Group commit: the units that wait run one after another in one transaction, and one wait for the disk serves
//! them all.

use rusqlite::Connection;

use super::job::Queued;
use crate::error::StoreError;

/// Most units of one commit. More would make the first wait longer than a wait for the disk is worth.
pub(super) const GROUP_MAX: usize = 64;

/// How a group ends, once all its units have run.
pub(super) type End<'a> = &'a dyn Fn(&Connection) -> Result<(), StoreError>;

/// Ends a group as it should.
pub(super) fn commit(connection: &Connection) -> Result<(), StoreError> {
    run(connection, "commit")
}

/// Runs and ends a group, which takes in whoever `another` brings. It is rolled back whole where that fails.
///
/// A savepoint for each unit would copy every page that it changes, to undo what hardly ever has to be undone. So
/// there is none, until a unit fails after it changed something: then all that was done is rolled back, and the
/// whole group runs again, now with savepoints. Units may run again; see [`Database::write`].
///
/// [`Database::write`]: crate::Database::write
pub(super) fn run_group(
    connection: &mut Connection,
    group: &mut Vec<Queued>,
    another: &mut dyn FnMut() -> Option<Queued>,
    end: End<'_>,
) -> Result<(), StoreError> {
    let ended = run_all(connection, group, another, end);
    if ended.is_err() && !connection.is_autocommit() {
        // A failed rollback leaves nothing to roll back: the transaction is already gone.
        let _gone = connection.execute_batch("rollback");
    }
    ended
}

fn run_all(
    connection: &mut Connection,
    group: &mut Vec<Queued>,
    another: &mut dyn FnMut() -> Option<Queued>,
    end: End<'_>,
) -> Result<(), StoreError> {
    run(connection, "begin immediate")?;
    let mut at = 0;
    while at < group.len() {
        let ran = group[at].run(connection);
        check_open(connection)?;
        if !ran.is_ok && ran.changed {
            run(connection, "rollback")?;
            return run_one_by_one(connection, group, end);
        }
        at += 1;
        if at == group.len() && group.len() < GROUP_MAX {
            group.extend(another());
        }
    }
    end(connection)
}

/// Runs a group in which units fail: each rolls back alone.
fn run_one_by_one(
    connection: &mut Connection,
    group: &mut [Queued],
    end: End<'_>,
) -> Result<(), StoreError> {
    run(connection, "begin immediate")?;
    for job in group {
        run(connection, "savepoint unit")?;
        let ran = job.run(connection);
        check_open(connection)?;
        if !ran.is_ok {
            run(connection, "rollback to unit")?;
        }
        run(connection, "release unit")?;
    }
    end(connection)
}

/// Some errors (a full disk, for one) end the whole transaction, not only the statement.
fn check_open(connection: &Connection) -> Result<(), StoreError> {
    if connection.is_autocommit() {
        let reason = "the transaction was rolled back by the database";
        return Err(StoreError::NotWritable(reason.to_owned()));
    }
    Ok(())
}

/// Runs a statement that stays prepared.
fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
