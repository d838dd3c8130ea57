//! A cache that may forget anything at any time, and is never asked for the truth.

use bytes::Bytes;
use handel_domain::{
    id::{ChannelId, TenantId},
    money::Currency,
};

/// What a cached answer depends on. Every part is demanded, so that nobody ever sees an answer of another
/// merchant, channel, currency or language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey {
    /// The merchant.
    pub tenant_id: TenantId,
    /// The channel.
    pub channel_id: ChannelId,
    /// The currency.
    pub currency: Currency,
    /// The language.
    pub locale: String,
    /// The state of the catalog that the answer was made from.
    pub epoch: u64,
    /// The question.
    pub query: String,
}

/// A cache of answers.
pub trait Cache: Send + Sync {
    /// The answer, if it is still there.
    fn get(&self, key: &CacheKey) -> Option<Bytes>;
    /// Keeps an answer for a while.
    fn put(&self, key: CacheKey, answer: Bytes);
}
