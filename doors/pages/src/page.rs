//! What every page has: its frame, and the headers that keep it safe.

use std::sync::Arc;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use handel_domain::{
    Code, Refusal,
    cart::{Cart, CartStatus},
    channel::Channel,
};
use handel_engine::OwnedCart;
use handel_kit::{Door, Problem};
use http::{HeaderValue, StatusCode, header};

use crate::{
    assets::{ICON_URL, STYLE_URL},
    format::Format,
    visit::Visit,
    words::ENGLISH,
};

/// What stands around every page.
#[derive(Default)]
pub(crate) struct Frame {
    /// The title of the page.
    pub(crate) title: String,
    /// What the shop is called; empty where nobody could be asked.
    pub(crate) shop: String,
    /// Where the style sheet is.
    pub(crate) style: &'static str,
    /// Where the icon is.
    pub(crate) icon: &'static str,
    /// The one address of what is shown, if it has many.
    pub(crate) canonical: Option<String>,
    /// What search engines show below the title.
    pub(crate) description: Option<String>,
    /// A picture of what is shown, for those who link to it.
    pub(crate) picture: Option<String>,
    /// Whether search engines must not list it.
    pub(crate) is_private: bool,
    /// Whether there is nothing to search and no cart to go to, so that nothing leads away.
    pub(crate) is_bare: bool,
    /// How many things are in the cart.
    pub(crate) items: i64,
    /// What was searched for.
    pub(crate) query: String,
    /// What holds for the whole shop, such as that it is a test; empty if nothing does.
    pub(crate) band: &'static str,
    /// The policies of the shop.
    pub(crate) policies: Vec<Link>,
}

/// A link with its text.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Where it leads.
    pub(crate) href: String,
    /// What it says.
    pub(crate) text: String,
    /// Whether it is where one is.
    pub(crate) is_current: bool,
}

/// Who may keep a page, and who may learn its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privacy {
    /// Anybody may see it; it only shows how many things are in a cart.
    Public,
    /// It is for one person, and nobody keeps it.
    Personal,
    /// Its address opens it, so no other page may learn where one came from.
    Secret,
}

impl Frame {
    /// A frame that knows nothing of the shop.
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), style: &STYLE_URL, icon: &ICON_URL, ..Self::default() }
    }

    /// A frame of a channel.
    pub(crate) fn of(door: &Door, title: impl Into<String>, channel: &Channel) -> Self {
        let name = door.settings().shop_name.as_ref();
        Self {
            shop: name.unwrap_or(&channel.settings.name).clone(),
            policies: crate::policy::links(channel),
            band: band(door),
            ..Self::new(title)
        }
    }

    /// The same without ways out, for somebody who is about to pay.
    pub(crate) fn bare(self) -> Self {
        Self { is_bare: true, is_private: true, ..self }
    }

    /// The same for what nobody else should find.
    pub(crate) fn private(self) -> Self {
        Self { is_private: true, ..self }
    }
}

/// The payment provider whose payments move no money.
pub(crate) const TEST_PROVIDER: &str = "test";

/// Whether the test provider takes payments here.
pub(crate) fn is_test_shop(door: &Door) -> bool {
    door.engine().provider_names().contains(&TEST_PROVIDER)
}

fn band(door: &Door) -> &'static str {
    match (door.engine().can_take_payments(), is_test_shop(door)) {
        (false, _) => ENGLISH.no_payments,
        (true, true) => ENGLISH.test_shop,
        (true, false) => "",
    }
}

/// The shop as a visitor meets it: its channel and how its amounts are written.
pub(crate) struct Shop {
    /// The channel.
    pub(crate) channel: Arc<Channel>,
    /// How amounts are written.
    pub(crate) format: Format,
    /// The visitor's cart.
    pub(crate) cart: Found,
}

/// What became of the cart that a browser remembers.
pub(crate) enum Found {
    /// It remembers none, or one that is gone.
    Nothing,
    /// It was bought.
    Ordered,
    /// It can be changed.
    Open(Box<OwnedCart>),
}

impl Shop {
    /// The shop that a visitor came to, with how much is in their cart.
    pub(crate) async fn of(door: &Door, visit: &Visit) -> Result<Self, Problem> {
        let channel = door.engine().get_channel(&visit.ctx).await?;
        let cart = match &visit.cart {
            Some(cart) => match door.engine().get_cart(&visit.ctx, cart).await {
                Ok(owned) if owned.view.cart.status == CartStatus::Open => {
                    Found::Open(Box::new(owned))
                }
                Ok(_) => Found::Ordered,
                Err(error) if error.code() == Code::CartUnknown => Found::Nothing,
                Err(error) => return Err(error.into()),
            },
            None => Found::Nothing,
        };
        let format = Format::of(&channel);
        Ok(Self { channel, format, cart })
    }

    /// The frame of a page.
    pub(crate) fn frame(&self, door: &Door, title: impl Into<String>) -> Frame {
        let items = match &self.cart {
            Found::Open(owned) => items(&owned.view.cart),
            Found::Nothing | Found::Ordered => 0,
        };
        Frame { items, ..Frame::of(door, title, &self.channel) }
    }
}

/// How many things are in a cart.
pub(crate) fn items(cart: &Cart) -> i64 {
    cart.lines.iter().map(|line| line.quantity).sum()
}

/// Writes a page.
pub(crate) fn show(
    door: &Door,
    status: StatusCode,
    privacy: Privacy,
    page: &impl Template,
) -> Response {
    let text = match page.render() {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            return Problem::from(Refusal::new(Code::Internal, "the page could not be written"))
                .into_response();
        }
    };
    let mut response = (status, Html(text)).into_response();
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static(match door.settings().public_url.starts_with("https:") {
        true => POLICY,
        false => POLICY_PLAIN,
    });
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    let (keep, refer) = match privacy {
        Privacy::Public => ("private, no-cache", "same-origin"),
        // Not `no-referrer`, which would also hide the origin of the forms.
        Privacy::Personal => ("no-store", "same-origin"),
        Privacy::Secret => ("no-store", "no-referrer"),
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static(refer));
    headers.insert(header::VARY, HeaderValue::from_static("cookie, handel-channel"));
    response
}

/// Nothing but our style sheet, pictures from anywhere safe, and forms to ourselves.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";
/// The same for a shop that is not on TLS, whose pictures need not be either.
const POLICY_PLAIN: &str = "default-src 'none'; style-src 'self'; img-src 'self' https: http:; form-action 'self'; \
                            frame-ancestors 'none'; base-uri 'none'";

/// Sends the browser on to the next page, which it gets with GET.
pub(crate) fn see(address: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(address) else {
        return Problem::from(Refusal::new(Code::Internal, "an address could not be written"))
            .into_response();
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}
