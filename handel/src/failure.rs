//! How failures are told: one sentence with its causes, and what to do about it.

use anyhow::anyhow;
use handel_engine::Error;
use handel_store::StoreError;

/// An error with its causes in one line, each told once.
pub fn sentence(error: &anyhow::Error) -> String {
    let mut sentence = String::new();
    for cause in error.chain() {
        let text = cause.to_string().replace('\n', " ");
        if sentence.ends_with(text.as_str()) {
            continue;
        }
        if !sentence.is_empty() {
            sentence.push_str(": ");
        }
        sentence.push_str(&text);
    }
    sentence
}

/// Why a database cannot be used, with what helps.
pub fn of_store(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::Locked(directory) => anyhow!(
            "a server uses this data directory ({directory}); stop it, or do this through its API"
        ),
        StoreError::SchemaTooOld { found, known } => anyhow!(
            "the schema is at version {found} of {known}; run `handel migrate`, or set \
             database.migrate to true"
        ),
        StoreError::Corrupt(_) => anyhow!("{error}; restore a backup, and see `handel doctor`"),
        other => other.into(),
    }
}

/// Why a use case did not succeed. The fields at fault are named; what the database said is added.
pub fn of_engine(error: Error) -> anyhow::Error {
    let Error { refusal, source } = error;
    match source {
        Some(source) => of_store(source).context(refusal.message),
        None if refusal.details.errors.is_empty() => anyhow!(refusal.message),
        None => {
            let fields = refusal.details.errors.iter();
            let fields: Vec<_> =
                fields.map(|field| format!("{} {}", field.pointer, field.message)).collect();
            anyhow!(fields.join("; "))
        }
    }
}
