//! What a shop tells a program about a resource: errors, warnings and notes.

/// How a program gets over an error (UCP, `message_error.json`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// It can repair the request itself.
    Recoverable,
    /// The buyer must say what this protocol cannot carry.
    NeedsInput,
    /// The buyer must look and agree.
    NeedsReview,
    /// There is nothing to go on with; begin again.
    Unrecoverable,
}

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something is in the way.
    Error(Severity),
    /// The buyer must see it.
    Warning,
    /// Good to know.
    Info,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    /// The stable reason.
    pub(crate) code: &'static str,
    /// The text for people.
    pub(crate) content: String,
    /// What it is about, as an RFC 9535 JSONPath from the root of the response.
    pub(crate) path: Option<String>,
}

impl Message {
    pub(crate) fn error(
        code: &'static str,
        severity: Severity,
        content: impl Into<String>,
    ) -> Self {
        Self { kind: Kind::Error(severity), code, content: content.into(), path: None }
    }

    /// An error that the program can repair.
    pub(crate) fn repairable(code: &'static str, content: impl Into<String>) -> Self {
        Self::error(code, Severity::Recoverable, content)
    }

    pub(crate) fn warning(code: &'static str, content: impl Into<String>) -> Self {
        Self { kind: Kind::Warning, code, content: content.into(), path: None }
    }

    pub(crate) fn info(code: &'static str, content: impl Into<String>) -> Self {
        Self { kind: Kind::Info, code, content: content.into(), path: None }
    }

    #[must_use]
    pub(crate) fn at(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// The same error for a request of which nothing came: there is no resource to repair.
    #[must_use]
    pub(crate) fn without_resource(self) -> Self {
        match self.kind {
            Kind::Error(_) => Self { kind: Kind::Error(Severity::Unrecoverable), ..self },
            Kind::Warning | Kind::Info => self,
        }
    }

    /// The same error for a program that cannot repair it: its buyer must.
    #[must_use]
    pub(crate) fn for_buyer(self) -> Self {
        Self { kind: Kind::Error(Severity::NeedsInput), path: None, ..self }
    }

    /// Whether it asks for the buyer.
    pub(crate) fn asks_for_buyer(&self) -> bool {
        matches!(self.kind, Kind::Error(Severity::NeedsInput | Severity::NeedsReview))
    }

    pub(crate) fn is_error(&self) -> bool {
        matches!(self.kind, Kind::Error(_))
    }
}

/// The code of what has ended.
pub(crate) const CLOSED: &str = "already_closed";

/// Puts messages about a request before those about the resource, without those that the resource says better.
pub(crate) fn put_first(messages: &mut Vec<Message>, problems: Vec<Message>) {
    let is_said = |problem: &Message| {
        problem.path.is_none()
            && messages.iter().any(|message| {
                message.is_error() && (message.code == problem.code || problem.code == "incomplete")
            })
    };
    let problems: Vec<_> = problems.into_iter().filter(|problem| !is_said(problem)).collect();
    messages.splice(0..0, problems);
}

/// Paths of what messages are about.
pub(crate) mod path {
    /// The address that goods go to.
    pub(crate) const DESTINATION: &str = "$.fulfillment.methods[0].selected_destination_id";
    /// The way in which goods go there.
    pub(crate) const OPTION: &str = "$.fulfillment.methods[0].groups[0].selected_option_id";
    /// The buyer's address for the receipt.
    pub(crate) const EMAIL: &str = "$.buyer.email";

    /// The sums.
    pub(crate) const TOTALS: &str = "$.totals";

    /// A line, counted from 0.
    pub(crate) fn line(at: usize) -> String {
        format!("$.line_items[{at}]")
    }

    /// A code of a discount, counted from 0.
    pub(crate) fn code(at: usize) -> String {
        format!("$.discounts.codes[{at}]")
    }

    /// A member of an address that the program sent.
    pub(crate) fn destination(at: usize, member: &str) -> String {
        format!("$.fulfillment.methods[0].destinations[{at}]{member}")
    }
}
