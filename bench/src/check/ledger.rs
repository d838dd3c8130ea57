//! The books of the test provider: what was really charged, whatever the shop says.

use std::{collections::HashMap, path::Path, time::Duration};

use anyhow::{Context, Result};
use handel_domain::id::OrderId;
use rusqlite::{Connection, OpenFlags};

/// Money that was taken for an order and not given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charged {
    /// How many charges there are. More than one is one too many.
    pub charges: i64,
    /// What they took together, in minor units.
    pub net_minor: i64,
}

const CHARGED: &str = "
    select order_id, count(*), sum(captured_minor - refunded_minor)
      from charges where captured_minor > refunded_minor group by order_id";

/// Reads what was charged, order by order.
pub fn read(path: &Path) -> Result<HashMap<OrderId, Charged>> {
    if !path.exists() {
        // The provider makes its books with the first charge, or with its first start.
        return Ok(HashMap::new());
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| format!("cannot open the ledger {}", path.display()))?;
    read_from(&connection).context("cannot read the ledger")
}

fn read_from(connection: &Connection) -> Result<HashMap<OrderId, Charged>> {
    connection.busy_timeout(Duration::from_secs(10))?;
    let mut statement = connection.prepare(CHARGED)?;
    let rows = statement.query_map([], |row| {
        let charged = Charged { charges: row.get(1)?, net_minor: row.get(2)? };
        Ok((row.get::<_, String>(0)?, charged))
    })?;
    rows.map(|row| {
        let (order_id, charged) = row?;
        let order_id = order_id.parse().context("the ledger names something else than an order")?;
        Ok((order_id, charged))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_was_not_charged() {
        let connection = Connection::open_in_memory().unwrap();
        let (paid, twice, refunded) =
            (OrderId::from_u128(1), OrderId::from_u128(2), OrderId::from_u128(3));
        connection
            .execute_batch(&format!(
                "create table charges (order_id text, captured_minor integer, refunded_minor integer);
                 insert into charges values ('{paid}', 1500, 0), ('{paid}', 0, 0),
                    ('{twice}', 700, 0), ('{twice}', 700, 100), ('{refunded}', 900, 900);"
            ))
            .unwrap();
        let found = read_from(&connection).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[&paid], Charged { charges: 1, net_minor: 1500 });
        assert_eq!(found[&twice], Charged { charges: 2, net_minor: 1300 });
    }

    #[test]
    fn a_ledger_that_was_never_written_is_empty() {
        assert!(read(Path::new("no-such-ledger")).unwrap().is_empty());
    }
}
