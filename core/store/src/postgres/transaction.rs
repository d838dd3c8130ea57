//! Statements on PostgreSQL.

use std::time::Duration;

use deadpool_postgres::Object;
use futures_util::future::{try_join, try_join_all};
use tokio_postgres::types::ToSql;

use crate::{
    error::StoreError,
    row::{Columns, Row},
    statement::Bound,
};

pub(crate) struct PostgresTransaction<'b> {
    client: &'b Object,
    /// Whether `begin` must still be sent. It goes in the same round trip as the first statements.
    begin: bool,
    /// Whether there is a transaction that must be ended.
    open: bool,
    /// How long an answer is waited for. The server ends a statement earlier, unless the network swallows it.
    patience: Duration,
    /// Whether no answer came: nothing that is sent on this connection will get one.
    lost: bool,
    failed: Option<StoreError>,
}

impl<'b> PostgresTransaction<'b> {
    /// With `writes`, the first statement begins a transaction; without, each statement stands alone.
    pub(super) fn new(client: &'b Object, writes: bool, patience: Duration) -> Self {
        Self { client, begin: writes, open: false, patience, lost: false, failed: None }
    }

    /// Whether the connection is of no more use.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// What failed first, if anything did. After that PostgreSQL answers a commit with a rollback.
    pub(super) fn failed(&self) -> Option<StoreError> {
        self.failed.clone()
    }

    pub(crate) async fn rows_all(&mut self, bounds: &[Bound]) -> Result<Vec<Vec<Row>>, StoreError> {
        let prepared = self.prepare_all(bounds).await?;
        let client = self.client;
        let queries = bounds.iter().zip(&prepared).map(|(bound, prepared)| async move {
            let values: Vec<&(dyn ToSql + Sync)> =
                bound.values.iter().map(|value| value as _).collect();
            let rows = client.query(prepared, &values).await?;
            let row = |row| Row { statement: bound.statement, columns: Columns::Postgres(row) };
            Ok::<_, tokio_postgres::Error>(rows.into_iter().map(row).collect())
        });
        self.pipeline(queries).await
    }

    pub(crate) async fn run_all(&mut self, bounds: &[Bound]) -> Result<Vec<u64>, StoreError> {
        let prepared = self.prepare_all(bounds).await?;
        let client = self.client;
        let commands = bounds.iter().zip(&prepared).map(|(bound, prepared)| async move {
            let values: Vec<&(dyn ToSql + Sync)> =
                bound.values.iter().map(|value| value as _).collect();
            client.execute(prepared, &values).await
        });
        self.pipeline(commands).await
    }

    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        let client = self.client;
        // Migrations may take as long as the server lets them.
        self.patience = Duration::MAX;
        self.pipeline([client.batch_execute(sql)]).await.map(|_| ())
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.end("commit").await
    }

    pub(super) async fn rollback(mut self) -> Result<(), StoreError> {
        self.end("rollback").await
    }

    async fn end(&mut self, word: &str) -> Result<(), StoreError> {
        if self.lost {
            return Err(silence());
        }
        if self.open {
            self.answered(self.client.batch_execute(word)).await?;
        }
        Ok(())
    }

    /// Waits for an answer, but not forever.
    #[expect(
        clippy::disallowed_methods,
        reason = "what the network swallows gets no answer at any time of a simulated clock"
    )]
    async fn answered<T>(
        &mut self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(self.patience, answer).await {
            Ok(answer) => answer.map_err(StoreError::from),
            Err(_) => {
                self.lost = true;
                Err(silence())
            }
        }
    }

    /// Prepares what this connection has not run before. Costs a round trip only the first time.
    async fn prepare_all(
        &mut self,
        bounds: &[Bound],
    ) -> Result<Vec<tokio_postgres::Statement>, StoreError> {
        let mut prepared = Vec::with_capacity(bounds.len());
        for bound in bounds {
            let text = bound.statement.for_postgres();
            let outcome = self.answered(self.client.prepare_cached(text)).await;
            prepared.push(outcome.map_err(|error| self.fail(error))?);
        }
        Ok(prepared)
    }

    /// Sends all commands before it waits for the first answer. Futures are polled in their order, and a
    /// command is sent when it is first polled, so the order on the wire is the order given.
    async fn pipeline<T>(
        &mut self,
        commands: impl IntoIterator<Item = impl Future<Output = Result<T, tokio_postgres::Error>>>,
    ) -> Result<Vec<T>, StoreError> {
        let commands = try_join_all(commands);
        let outcome = if std::mem::take(&mut self.begin) {
            self.open = true;
            let begin = self.client.batch_execute("begin");
            self.answered(try_join(begin, commands)).await.map(|((), results)| results)
        } else {
            self.answered(commands).await
        };
        outcome.map_err(|error| self.fail(error))
    }

    /// From here on the transaction cannot commit.
    pub(crate) fn fail(&mut self, error: StoreError) -> StoreError {
        self.failed.get_or_insert_with(|| error.clone());
        error
    }
}

fn silence() -> StoreError {
    StoreError::Unavailable("the database does not answer".to_owned())
}
