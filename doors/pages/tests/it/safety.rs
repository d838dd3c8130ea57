//! What strangers try.

use handel_domain::catalog::Media;
use handel_testkit::{both_databases, fixtures::product_input};
use http::Method;

use super::support::{ADA, Shop};

/// What must never come out as it is.
const HOSTILE: &str =
    "</title></script><script>alert('1')</script>\"'><img src=x onerror=alert(1)>";

both_databases! {
    /// Goal: nothing that a merchant or buyer writes becomes part of a page's markup, on any page.
    async fn hostile_texts_stay_texts(shop: Shop) {
        let mut input = product_input("MUG", 1_999);
        input.title = HOSTILE.to_owned();
        input.vendor = HOSTILE.to_owned();
        input.description_html = format!("<p>{HOSTILE}</p>");
        input.media = vec![Media { url: "/media/x.png".into(), alt: HOSTILE.to_owned() }];
        shop.create(input, 5).await;
        let mut eve = shop.browser();
        let mut pages = vec![eve.open(&format!("/?q={}", "%3Cscript%3Ealert(1)%3C%2Fscript%3E&min=%22%3E%3Cb%3E")).await.clone()];
        pages.push(eve.open("/").await.expect(200).clone());
        pages.push(eve.open("/products/mug").await.expect(200).clone());
        pages.push(eve.send("/cart/items", &[]).await.expect(200).clone());
        pages.push(eve.send("/checkout", &[]).await.expect(200).clone());
        let mut typed = ADA;
        typed[1].1 = HOSTILE;
        typed[4].1 = "\"><script>alert(1)</script>";
        pages.push(eve.send("/contact", &typed).await.expect(422).clone());
        typed[4].1 = "10115";
        pages.push(eve.send("/contact", &typed).await.expect(200).clone());
        pages.push(eve.send("/delivery", &[]).await.expect(200).clone());
        pages.push(eve.send("/complete", &[]).await.expect(200).clone());
        for page in &pages {
            let scripts = page.all("script:not([type='application/ld+json'])");
            assert!(scripts.is_empty(), "{scripts:?} in {page}");
            assert!(!page.has("[onerror], [style], style, img[src=x]"), "{page}");
        }
        // The JSON for programs ends where it should.
        let json = &pages[2].all("script[type='application/ld+json']")[0];
        let value: serde_json::Value = serde_json::from_str(json).expect("it is JSON");
        assert_eq!(value["name"], HOSTILE);
    }

    /// Goal: every page forbids scripts, frames and foreign forms, personal pages are kept by nobody, and the address
    /// that opens an order is told to nobody.
    async fn every_page_is_guarded(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.browser();
        let mut pages = Vec::new();
        for path in ["/", "/products/mug", "/cart", "/nothing/here", "/checkout/chk_none"] {
            pages.push(ada.open(path).await.clone());
        }
        let mut ada = shop.at_checkout("MUG", "1").await;
        pages.push(ada.page().clone());
        pages.push(ada.send("/contact", &ADA).await.clone());
        pages.push(ada.send("/delivery", &[]).await.clone());
        let order = ada.send("/complete", &[]).await.clone();
        pages.push(order.clone());
        for page in &pages {
            let policy = page.header("content-security-policy");
            for part in ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"] {
                assert!(policy.contains(part), "{policy}: {page}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
            assert_eq!(page.header("x-content-type-options"), "nosniff");
            assert_eq!(page.header("x-frame-options"), "DENY");
            let is_public = page.path == "/" || page.path.starts_with("/products");
            assert_eq!(page.header("cache-control"), if is_public { "private, no-cache" } else { "no-store" });
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        }
        assert_eq!(order.header("referrer-policy"), "no-referrer");
        assert!(order.has("meta[name=robots][content=noindex]"));
        let cookie = shop.browser().request(Method::POST, "/cart/items", Some(item(shop).await)).await;
        let cookie = cookie.header("set-cookie").to_owned();
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
    }

    /// Goal: another site can neither fill a cart, nor change a checkout, nor buy.
    async fn forms_of_other_sites_are_refused(shop: Shop) {
        let product = shop.product("MUG", 1_999, 5).await;
        let ada = shop.at_payment("MUG", "1").await;
        let forms = [("site", "sec-fetch-site", "cross-site"), ("subdomain", "sec-fetch-site", "same-site")];
        for (who, name, value) in forms {
            let mut foreign = ada.clone().says(name, value);
            foreign.send("/complete", &[]).await.expect(403);
            assert_eq!(foreign.page().one("h1"), "This came from another site", "{who}");
            let mut nobody = shop.browser().says(name, value);
            nobody.open("/products/mug").await.expect(200);
            nobody.send("/cart/items", &[]).await.expect(403);
            assert_eq!(nobody.cookie(), None, "{who}");
        }
        // Older browsers say only where a form came from.
        let old = ada.clone().says("sec-fetch-site", "");
        for origin in ["https://evil.example", "null", "https://shop.example.evil.example"] {
            old.clone().says("origin", origin).send("/complete", &[]).await.expect(403);
        }
        assert_eq!(shop.stock(&product).await.allocated, 0, "nothing was bought");
        old.clone().send("/complete", &[]).await.expect(200);
        shop.only_order().await;
    }

    /// Goal: an amount in a form decides nothing: whatever it says, the engine's total is paid or nothing is.
    async fn amounts_in_forms_decide_nothing(shop: Shop) {
        let product = shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        for total in ["1", "-2489", "0", "9223372036854775807"] {
            ada.send("/complete", &[("expected_total_minor", total)]).await.expect(409);
            assert!(ada.page().one("[role=alert]").contains("it is now 24,89"), "{total}: {}", ada.page());
        }
        ada.send("/complete", &[("expected_total_minor", "24.89")]).await.expect(200);
        assert_eq!(ada.page().one(".steps .current"), "Review and pay", "it is shown again");
        // A form without its key is no form of ours.
        ada.send("/complete", &[("key", "")]).await.expect(422);
        assert_eq!(shop.stock(&product).await.allocated, 0, "nothing was bought");
    }

    /// Goal: what belongs to somebody else looks like what is not there, whatever is done to it.
    async fn a_checkout_belongs_to_one_browser(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        let address = ada.page().path.clone();
        let mut eve = shop.at_payment("MUG", "1").await;
        let none = eve.open("/checkout/chk_01jd6z3v9q8x7k2m4n5p6r7s8t").await.expect(404).text.clone();
        let other = eve.open(&address).await.expect(404).text.clone();
        assert_eq!(none, other);
        let pairs = vec![("email".to_owned(), "eve@example.com".to_owned())];
        for form in ["contact", "delivery", "complete"] {
            eve.post(&format!("{address}/{form}"), &pairs).await.expect(404);
        }
        ada.open(&address).await.expect(200);
        assert!(ada.page().one(".answers").contains("ada@example.com"), "{}", ada.page());
        let mut forged = shop.browser();
        forged.open("/cart").await.expect(200);
        assert!(forged.page().has(".empty"));
    }

    /// Goal: a form that is too large, of another kind or no form at all is refused, as a page.
    async fn what_is_no_form_is_refused(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut eve = shop.at_payment("MUG", "1").await;
        let address = format!("{}/contact", eve.page().path);
        let large = format!("email={}", "x".repeat(70_000));
        assert_eq!(eve.request(Method::POST, &address, Some(large)).await.expect(413).one("h1"), "That did not work");
        let many = "a=1&".repeat(300);
        eve.request(Method::POST, &address, Some(many)).await.expect(413);
        eve.request(Method::POST, &address, Some("email=%ff%00&name=%00".to_owned())).await.expect(422);
        let mut json = eve.clone().says("content-type", "application/json");
        assert_eq!(json.request(Method::DELETE, "/cart", None).await.expect(405).one("h1"), "This address cannot be used like that");
        json.open("/assets/style-0000.css").await.expect(404);
        json.open("/products/%F0%9F%92%A5").await.expect(404);
        json.open("/?category=nothing").await.expect(404);
        json.open("/?cursor=forged").await.expect(200);
    }

    /// Goal: browsers are told what went wrong with a page, and programs with a problem document.
    async fn errors_are_written_for_who_reads_them(shop: Shop) {
        let mut browser = shop.browser();
        let page = browser.open("/nothing").await.expect(404).clone();
        assert_eq!(page.one("h1"), "Page not found");
        assert!(!page.header("x-request-id").is_empty());
        assert_eq!(browser.open("/api/v1/nothing").await.header("content-type"), "application/problem+json");
        for address in ["/ucp/2026-08-25/nothing", "/mcp", "/mcp/x", "/.well-known/nothing", "/health/nothing"] {
            let answer = browser.open(address).await.expect(404);
            assert_eq!(answer.header("content-type"), "application/problem+json", "{address}");
        }
        for address in ["/docsearch", "/healthy", "/mcpx"] {
            assert_eq!(browser.open(address).await.expect(404).one("h1"), "Page not found", "{address}");
        }
        let mut program = shop.browser().says("accept", "application/json");
        assert_eq!(program.open("/nothing").await.expect(404).header("content-type"), "application/problem+json");
    }
}

async fn item(shop: &Shop) -> String {
    let mut browser = shop.browser();
    let id = browser.open("/products/mug").await.value("/cart/items", "variant");
    format!("variant={id}&quantity=1&product=mug")
}
