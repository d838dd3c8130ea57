//! Query strings of lists, as they are written.

use http::Method;

use crate::front::{front, request, split};

/// Asks lists with a query. Whatever it says, the answer is a page or a refusal.
pub(crate) fn query(data: &[u8]) {
    let (route, data) = split(data);
    let front = front();
    let Ok(query) = std::str::from_utf8(data) else { return };
    let call = match route % 6 {
        0 | 1 => request(Method::GET, &format!("/products?{query}")),
        2 => front.staff(Method::GET, &format!("/admin/orders?{query}")),
        3 => front.staff(Method::GET, &format!("/orders?{query}")),
        4 => front.staff(Method::GET, &format!("/admin/keys?{query}")),
        _ => request(Method::GET, &format!("/orders/ord_01jd6z3v9q8x7k2m4n5p6r7s8t?{query}")),
    };
    if let Some(answer) = front.send(call, "")
        && answer.status.is_success()
    {
        assert!(answer.body["items"].is_array(), "{query}: {answer:?}");
    }
}
