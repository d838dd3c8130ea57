//! Statements on PostgreSQL.

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
    failed: Option<StoreError>,
}

impl<'b> PostgresTransaction<'b> {
    /// With `writes`, the first statement begins a transaction; without, each statement stands alone.
    pub(super) fn new(client: &'b Object, writes: bool) -> Self {
        Self { client, begin: writes, open: false, failed: None }
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
        self.pipeline([client.batch_execute(sql)]).await.map(|_| ())
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        if self.open {
            self.client.batch_execute("commit").await?;
        }
        Ok(())
    }

    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        if self.open {
            self.client.batch_execute("rollback").await?;
        }
        Ok(())
    }

    /// Prepares what this connection has not run before. Costs a round trip only the first time.
    async fn prepare_all(
        &mut self,
        bounds: &[Bound],
    ) -> Result<Vec<tokio_postgres::Statement>, StoreError> {
        let mut prepared = Vec::with_capacity(bounds.len());
        for bound in bounds {
            let text = bound.statement.for_postgres();
            let outcome = self.client.prepare_cached(text).await;
            prepared.push(outcome.map_err(|error| self.note(error))?);
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
            try_join(begin, commands).await.map(|((), results)| results)
        } else {
            commands.await
        };
        outcome.map_err(|error| self.note(error))
    }

    fn note(&mut self, error: tokio_postgres::Error) -> StoreError {
        self.fail(StoreError::from(error))
    }

    /// From here on the transaction cannot commit.
    pub(crate) fn fail(&mut self, error: StoreError) -> StoreError {
        self.failed.get_or_insert_with(|| error.clone());
        error
    }
}
