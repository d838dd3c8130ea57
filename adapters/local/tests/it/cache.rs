//! A cache that stays small and forgets.

use std::time::Duration;

use bytes::Bytes;
use handel_domain::id::{ChannelId, TenantId};
use handel_local::MemoryCache;
use handel_ports::{Cache as _, CacheKey};

use crate::world::system;

fn key(query: &str) -> CacheKey {
    CacheKey {
        tenant_id: TenantId::DEFAULT,
        channel_id: ChannelId::from_u128(1),
        currency: "EUR".parse().unwrap(),
        locale: "en".to_owned(),
        epoch: 1,
        query: query.to_owned(),
    }
}

#[test]
fn an_answer_belongs_to_every_part_of_its_key() {
    let cache = MemoryCache::new(system().0);
    cache.put(key("mugs"), "answer".into());
    assert_eq!(cache.get(&key("mugs")), Some("answer".into()));
    let others = [
        CacheKey { tenant_id: TenantId::from_u128(2), ..key("mugs") },
        CacheKey { channel_id: ChannelId::from_u128(2), ..key("mugs") },
        CacheKey { currency: "USD".parse().unwrap(), ..key("mugs") },
        CacheKey { locale: "de".to_owned(), ..key("mugs") },
        CacheKey { epoch: 2, ..key("mugs") },
        key("cups"),
    ];
    for other in others {
        assert_eq!(cache.get(&other), None, "{other:?}");
    }
}

#[test]
fn it_never_holds_more_bytes_than_its_bound() {
    const BOUND: u64 = 64 * 1024;
    let cache = MemoryCache::with_bounds(BOUND, MemoryCache::TIME_TO_LIVE, system().0);
    for n in 0..1_000 {
        cache.put(key(&n.to_string()), Bytes::from(vec![0; 1024]));
    }
    let weight = cache.weight();
    assert!(weight <= BOUND, "{weight}");
    assert!(weight > BOUND / 2, "it is used: {weight}");

    // The keys count too: many long questions with no answer are no way around.
    let cache = MemoryCache::with_bounds(BOUND, MemoryCache::TIME_TO_LIVE, system().0);
    for n in 0..1_000 {
        cache.put(key(&format!("{n:01000}")), Bytes::new());
    }
    assert!(cache.weight() <= BOUND);
    let kept = (0..1_000).filter(|n| cache.get(&key(&format!("{n:01000}"))).is_some()).count();
    assert!((32..=64).contains(&kept), "{kept}");
}

#[test]
fn an_answer_larger_than_the_cache_is_not_kept() {
    let cache = MemoryCache::with_bounds(10_000, MemoryCache::TIME_TO_LIVE, system().0);
    cache.put(key("large"), Bytes::from(vec![0; 10_000]));
    assert_eq!(cache.weight(), 0);
    assert_eq!(cache.get(&key("large")), None);
}

#[test]
fn an_answer_is_forgotten_after_its_time() {
    let (system, clock) = system();
    let cache = MemoryCache::with_bounds(1 << 20, Duration::from_secs(60), system);
    cache.put(key("mugs"), "answer".into());
    clock.advance(Duration::from_millis(59_999));
    assert!(cache.get(&key("mugs")).is_some());
    clock.advance(Duration::from_millis(1));
    assert_eq!(cache.get(&key("mugs")), None);
    cache.put(key("mugs"), "again".into());
    assert_eq!(cache.get(&key("mugs")), Some("again".into()));
}
