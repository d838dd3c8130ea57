//! Pages that wait for a payment provider load themselves again.
//!
//! By a header rather than an element, after 20 seconds at first, then less and less often, and in the end not at
//! all. The page says so, and has links to check at once and to stop (WCAG 2.2.1 and 3.2.5).

use axum::response::Response;
use http::{HeaderName, HeaderValue, Uri};

use crate::{
    visit::Fields,
    words::{ENGLISH, Words},
};

const REFRESH: HeaderName = HeaderName::from_static("refresh");
/// The parameter that counts how often a page was loaded again.
const COUNT: &str = "reload";
/// What it says where the buyer wants no more of it.
const OFF: &str = "off";
/// After how many seconds a page is loaded the next time; half an hour in all.
const DELAYS_SECS: [u32; 8] = [20, 20, 30, 60, 120, 300, 600, 600];

/// When a page is loaded again, and the links beside that.
pub(crate) struct Reload {
    /// When it happens, in words.
    pub(crate) text: String,
    /// Loads the page at once.
    pub(crate) now_href: String,
    /// Ends it; none where it has ended.
    pub(crate) stop_href: Option<String>,
    header: Option<HeaderValue>,
}

impl Reload {
    /// Of the page at this address.
    pub(crate) fn of(uri: &Uri) -> Self {
        let (fields, w) = (Fields::of_query(uri), &ENGLISH);
        let count = match fields.get(COUNT) {
            "" => Some(0),
            text => text.parse::<usize>().ok(),
        };
        let next = count.and_then(|count| Some((count + 1, *DELAYS_SECS.get(count)?)));
        let address = |count: Option<&str>| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(fields.pairs().filter(|(name, _)| *name != COUNT));
            query.extend_pairs(count.map(|count| (COUNT, count)));
            format!("{}?{}", uri.path(), query.finish())
        };
        let header = next.and_then(|(count, seconds)| {
            let url = address(Some(&count.to_string()));
            HeaderValue::from_str(&format!("{seconds}; url={url}")).ok()
        });
        Self {
            text: next.map_or_else(|| w.reload_ended.to_owned(), |(_, seconds)| w.reloads(seconds)),
            now_href: address(None),
            stop_href: next.map(|_| address(Some(OFF))),
            header,
        }
    }

    /// Tells the browser.
    pub(crate) fn put(self, mut response: Response) -> Response {
        response.headers_mut().extend(self.header.map(|header| (REFRESH, header)));
        response
    }
}

impl Words {
    /// When a page is loaded again.
    fn reloads(&self, seconds: u32) -> String {
        let (count, unit) = match seconds {
            ..60 => (seconds, self.seconds),
            60 => (1, self.minute),
            _ => (seconds / 60, self.minutes),
        };
        self.reloads_after(count, unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> Reload {
        Reload::of(&address.parse().expect("an address"))
    }

    #[test]
    fn a_page_is_loaded_again_less_and_less_often_and_in_the_end_not_at_all() {
        let (mut address, mut waits) = ("/orders/1?token=a%2Bb".to_owned(), Vec::new());
        while let Some(header) = of(&address).header {
            let (seconds, next) =
                header.to_str().ok().and_then(|text| text.split_once("; url=")).expect("both");
            waits.push(seconds.parse::<u32>().expect("a number"));
            address = next.to_owned();
        }
        assert!(waits.is_sorted() && waits[0] >= 20, "{waits:?}");
        assert_eq!(waits.len(), DELAYS_SECS.len());
        let ended = of(&address);
        assert_eq!(ended.now_href, "/orders/1?token=a%2Bb", "it can be begun anew");
        assert!(ended.stop_href.is_none());
    }

    #[test]
    fn a_buyer_ends_it() {
        let stop = of("/checkout/1?returned").stop_href.expect("a link");
        assert_eq!(stop, "/checkout/1?returned=&reload=off");
        assert!(of(&stop).header.is_none() && of("/?reload=99999999999999999999").header.is_none());
    }
}
