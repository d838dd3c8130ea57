use proptest::prelude::*;

use super::*;

fn address(country: &str, region: Option<&str>, postal_code: Option<&str>) -> Address {
    Address {
        name: "Ada Lovelace".into(),
        line1: "1 Main Street".into(),
        line2: None,
        city: "Somewhere".into(),
        region: region.map(str::to_owned),
        postal_code: postal_code.map(str::to_owned),
        country: country.parse().expect("a country"),
        phone: None,
    }
}

#[test]
fn each_country_has_its_rules() {
    let good = [
        ("US", Some("ny"), Some("10001")),
        ("US", Some("NY"), Some("10001-1234")),
        ("DE", None, Some("10115")),
        ("GB", None, Some("sw1a 1aa")),
        ("NL", None, Some("1012 ab")),
        ("IE", None, None),
        ("HK", Some("Kowloon"), None),
    ];
    for (country, region, code) in good {
        assert!(address(country, region, code).checked("").is_ok(), "{country} {code:?}");
    }
    let bad = [
        ("US", None, Some("42223")),
        ("US", Some("NY"), None),
        ("DE", None, Some("1011")),
        ("CA", Some("ON"), Some("12345")),
    ];
    for (country, region, code) in bad {
        assert!(address(country, region, code).checked("").is_err(), "{country} {code:?}");
    }
}

#[test]
fn every_wrong_field_is_named() {
    let mut bad = address("US", None, Some("x"));
    bad.name = " ".into();
    let refusal = bad.checked("/shipping_address").expect_err("three fields are wrong");
    let pointers: Vec<_> =
        refusal.details.errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        ["/shipping_address/name", "/shipping_address/region", "/shipping_address/postal_code"]
    );
}

#[test]
fn an_address_may_be_known_in_part() {
    let bare = |country: &str| Address {
        name: String::new(),
        line1: " ".into(),
        city: String::new(),
        ..address(country, None, None)
    };
    for (country, lacking) in [
        ("IE", &["/to/name", "/to/line1", "/to/city"][..]),
        ("DE", &["/to/name", "/to/line1", "/to/city", "/to/postal_code"]),
        ("US", &["/to/name", "/to/line1", "/to/city", "/to/region", "/to/postal_code"]),
    ] {
        let known = bare(country).checked_in_part("/to").expect("the country is enough");
        let missing = known.missing("/to");
        let pointers: Vec<_> = missing.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, lacking, "{country}");
        assert!(bare(country).checked("/to").is_err());
    }
    let whole = address("US", Some("ny"), Some("10001"));
    let checked = whole.clone().checked_in_part("").expect("nothing is missing");
    assert_eq!((checked.missing(""), Ok(checked)), (Vec::new(), whole.checked("")));
    for wrong in [
        Address { postal_code: Some("1".into()), ..bare("DE") },
        Address { city: "a\nb".into(), ..bare("DE") },
        Address { line1: "4242 4242 4242 4242".into(), ..bare("DE") },
    ] {
        wrong.checked_in_part("").expect_err("what is there must be right");
    }
}

#[test]
fn a_card_number_is_refused_in_every_part() {
    let card = "4242 4242 4242 4242";
    type Part = fn(&mut Address) -> &mut String;
    let parts: [(&str, Part); 7] = [
        ("/name", |address| &mut address.name),
        ("/line1", |address| &mut address.line1),
        ("/line2", |address| address.line2.get_or_insert_default()),
        ("/city", |address| &mut address.city),
        ("/region", |address| address.region.get_or_insert_default()),
        ("/postal_code", |address| address.postal_code.get_or_insert_default()),
        ("/phone", |address| address.phone.get_or_insert_default()),
    ];
    for (pointer, part) in parts {
        let mut address = address("IE", None, None);
        *part(&mut address) = card.to_owned();
        let refusal = address.checked("").expect_err(pointer);
        assert_eq!(refusal.code, crate::Code::CardNumberRefused, "{pointer}");
        assert_eq!(refusal.details.errors[0].pointer, pointer);
    }
}

#[test]
fn a_long_phone_number_is_no_card_number() {
    // 13 digits that begin like a card and pass its check, as one number in ten does.
    let phone = "+49 1711 2345 674";
    assert!(text::looks_like_card_number(phone), "the example proves nothing");
    let mut address = address("IE", None, None);
    address.phone = Some(phone.to_owned());
    assert!(address.checked("").is_ok());
}

/// The region of an address that only says where it is.
fn region(country: &str, region: &str) -> Result<Option<String>, String> {
    let checked = address(country, Some(region), None).checked_in_part("");
    checked.map(|address| address.region).map_err(|no| no.details.errors[0].message.clone())
}

fn postal_code(country: &str, code: &str) -> Result<Option<String>, String> {
    let checked = address(country, None, Some(code)).checked_in_part("");
    checked.map(|address| address.postal_code).map_err(|no| no.details.errors[0].message.clone())
}

#[test]
fn a_region_is_known_by_code_name_and_abbreviation() {
    for (country, code, names) in [
        (
            "US",
            "CA",
            &[
                "CA",
                "ca",
                "California",
                "US-CA",
                "us ca",
                " Calif. ",
                "ＣＡ",
                "State of California",
            ][..],
        ),
        ("US", "DC", &["D.C.", "DC", "District of Columbia", "Washington, D.C."]),
        ("US", "NY", &["N.Y.", "new york", "New York State"]),
        ("US", "WA", &["Washington", "Wash."]),
        ("CA", "QC", &["Québec", "Quebec", "Que.", "PQ", "Qu\u{e9}bec", "Que\u{301}bec"]),
        ("CA", "BC", &["Colombie-Britannique", "British Columbia"]),
        ("CA", "NL", &["Newfoundland & Labrador", "NL"]),
        ("AU", "NSW", &["New South Wales", "N.S.W."]),
        ("BR", "SP", &["São Paulo", "Sao Paulo", "SÃO PAULO"]),
        ("IN", "OD", &["Odisha", "Orissa", "OR"]),
        ("IN", "TS", &["Telangana", "TG"]),
        ("MX", "CMX", &["DF", "CDMX", "Ciudad de México", "Mexico City", "D.F."]),
        ("JP", "13", &["Tokyo", "東京都", "東京", "Tokyo-to", "TOKYO", "JP-13"]),
        ("JP", "26", &["京都府", "Kyoto-fu", "京都"]),
        ("JP", "01", &["Hokkaido", "北海道", "Hokkaidō"]),
        ("CN", "BJ", &["Beijing", "北京市", "北京", "Beijing Shi"]),
        ("CN", "NM", &["Inner Mongolia", "内蒙古"]),
        ("KR", "11", &["Seoul", "서울", "서울특별시"]),
        ("DE", "BY", &["Bayern", "Bavaria", "BY", "DE-BY"]),
        ("IE", "D", &["Dublin", "Co. Dublin", "County Dublin"]),
        ("ES", "M", &["Madrid"]),
        ("AE", "DU", &["Dubai", "دبي"]),
        ("HK", "KLN", &["Kowloon", "九龍"]),
        ("TR", "34", &["İstanbul", "Istanbul", "ISTANBUL"]),
    ] {
        for name in names {
            assert_eq!(region(country, name), Ok(Some(code.to_owned())), "{country} {name}");
        }
    }
}

#[test]
fn a_region_that_decides_tax_is_never_guessed() {
    for (country, typed, message) in [
        ("US", "Californa", "is not a state of the United States; did you mean California?"),
        (
            "US",
            "Lower Saxony",
            "is not a state of the United States; give its name or code, such as California or CA",
        ),
        ("CA", "Ontaro", "is not a province of Canada; did you mean Ontario?"),
    ] {
        assert_eq!(region(country, typed), Err(message.to_owned()));
    }
    assert_eq!(region("FR", "Surrey"), Ok(Some("Surrey".to_owned())), "nothing depends on it");
}

#[test]
fn a_region_that_is_missing_follows_from_the_postal_code() {
    for (country, code, expected) in [
        ("US", "94105", Some("CA")),
        ("US", "10001-1234", Some("NY")),
        ("US", "42223", None),
        ("CA", "H3Z 2Y7", Some("QC")),
        ("CA", "K1A 0B1", None),
        ("ES", "28039", Some("M")),
        ("IT", "00144", Some("RM")),
        ("BR", "40301-110", Some("BA")),
        ("JP", "100-0001", Some("13")),
        ("KR", "03051", Some("11")),
        ("TR", "34000", Some("34")),
        ("DE", "10115", None),
    ] {
        let known = address(country, None, Some(code)).checked_in_part("").expect(code);
        assert_eq!(known.region.as_deref(), expected, "{country} {code}");
    }
    let mut hong_kong = address("HK", None, None);
    hong_kong.city = "Kowloon".into();
    let known = hong_kong.checked("").expect("the city is the area");
    assert_eq!(known.region.as_deref(), Some("KLN"));
}

#[test]
fn postal_codes_are_read_as_people_type_them() {
    for (country, normal, typed) in [
        ("GB", "SW1A 1AA", &["SW1A1AA", "sw1a1aa", "sw1a 1aa", "SW1A-1AA", "ＳＷ１Ａ　１ＡＡ"][..]),
        ("GB", "BFPO 61", &["BFPO 61", "bfpo61"]),
        ("GB", "GIR 0AA", &["gir0aa"]),
        ("PL", "00-950", &["00950", "00 950", "PL-00-950"]),
        ("PT", "1000-205", &["1000205", "1000 205"]),
        ("JP", "100-0001", &["１００－０００１", "１０００００１", "〒100-0001", "1000001"]),
        ("CA", "K1A 0B1", &["K1A-0B1", "K1A0B1", "k1a 0b1"]),
        ("US", "10001-1234", &["100011234", "10001 1234", "10001-1234", "US-10001-1234"]),
        ("SE", "114 55", &["SE-114 55", "SE-11455", "11455", "S-114 55"]),
        ("FR", "75001", &["75 001", "F-75001"]),
        ("DE", "10115", &["D-10115", "DE-10115", "D 10115"]),
        ("CH", "8001", &["CH-8001"]),
        ("NL", "1012 AB", &["1012ab", "NL-1012 AB"]),
        ("BR", "01310-100", &["01310100"]),
        ("IN", "110001", &["110 001"]),
        ("IE", "A65 F4E2", &["a65f4e2"]),
        ("LV", "LV-1073", &["1073", "lv1073", "LV-1073"]),
        ("AD", "AD500", &["500", "ad 500"]),
        ("AR", "C1070AAM", &["c1070aam"]),
        ("TW", "10603", &["10603"]),
        ("JE", "JE1 1AA", &["je11aa"]),
        ("MC", "98000", &["MC-98000"]),
    ] {
        for typed in typed {
            assert_eq!(
                postal_code(country, typed),
                Ok(Some(normal.to_owned())),
                "{country} {typed}"
            );
        }
    }
    for (country, typed) in
        [("CA", "D1A 0B1"), ("NL", "1012 SS"), ("GB", "SW1A 1CA"), ("US", "1234")]
    {
        assert!(postal_code(country, typed).is_err(), "{country} {typed}");
    }
    assert_eq!(
        postal_code("DE", "1011"),
        Err("must be a postal code of Germany, such as 10115".to_owned())
    );
    assert_eq!(
        postal_code("US", "x"),
        Err("must be a ZIP code of the United States, such as 10001".to_owned())
    );
    assert_eq!(postal_code("TH", "1"), Ok(Some("1".to_owned())), "nothing depends on it");
    assert_eq!(postal_code("AE", "00000"), Ok(None), "there are none");
}

#[test]
fn a_city_is_needed_where_there_are_cities() {
    let without_city =
        |country, region, code| Address { city: String::new(), ..address(country, region, code) };
    for (country, region, code) in [
        ("SG", None, Some("018956")),
        ("HK", Some("Kowloon"), None),
        ("MC", None, Some("98000")),
        ("VA", None, None),
        ("AE", Some("Dubai"), None),
    ] {
        without_city(country, region, code).checked("").expect(country);
    }
    without_city("DE", None, Some("10115")).checked("").expect_err("Germany has cities");
}

#[test]
fn countries_are_known_by_what_people_call_them() {
    for (code, names) in [
        ("GB", &["UK", "uk", "U.K.", "Great Britain", "United Kingdom", "GBR", "gb"][..]),
        ("US", &["USA", "usa", "U.S.A.", "United States of America", "us", "The United States"]),
        ("DE", &["de", "Deutschland", "DEU", "germany", " Germany "]),
        ("CH", &["Schweiz", "Suisse", "Switzerland"]),
        ("JP", &["日本", "Japan"]),
        ("CI", &["Ivory Coast", "Cote d'Ivoire", "Côte d’Ivoire"]),
        ("AX", &["Aland Islands"]),
        ("NL", &["Holland", "the Netherlands", "Nederland"]),
        ("KR", &["South Korea", "Korea"]),
    ] {
        for name in names {
            assert_eq!(
                Country::read("", name).map(|found| found.to_string()),
                Ok(code.to_owned()),
                "{name}"
            );
        }
    }
    for (typed, message) in [
        ("Germny", "is not a country; did you mean Germany (DE)?"),
        ("Atlantis 7", "is not a country; give its name or its ISO 3166-1 code, such as DE"),
        (" ", "is needed"),
    ] {
        let refusal = Country::read("/country", typed).expect_err(typed);
        assert_eq!(refusal.details.errors[0].message, message);
    }
    for code in ["ZZ", "de", "", "DEU", "D ", "XX"] {
        assert!(code.parse::<Country>().is_err(), "settings hold codes: {code:?}");
    }
}

#[test]
fn addresses_are_written_as_the_country_writes_them() {
    let lines = |country: &str, city: &str, region: Option<&str>, code: &str| {
        let address = Address {
            city: city.into(),
            line2: Some("Floor 2".into()),
            ..address(country, region, Some(code))
        };
        address.checked("").expect(country).lines(None)[3..].join(" / ")
    };
    for (expected, country, city, region, code) in [
        ("New York, NY 10001 / United States", "US", "New York", Some("New York"), "10001"),
        ("50667 Köln / Germany", "DE", "Köln", None, "D-50667"),
        ("London / SW1A 1AA / United Kingdom", "GB", "London", None, "sw1a1aa"),
        ("Ottawa ON K1A 0B1 / Canada", "CA", "Ottawa", Some("Ontario"), "k1a0b1"),
        ("Sydney NSW 2000 / Australia", "AU", "Sydney", Some("nsw"), "2000"),
        ("Chiyoda-ku, Tokyo / 100-0001 / Japan", "JP", "Chiyoda-ku", None, "1000001"),
        ("28001 Madrid Madrid / Spain", "ES", "Madrid", None, "28001"),
        ("00144 Roma RM / Italy", "IT", "Roma", None, "00144"),
        ("SINGAPORE 018956 / Singapore", "SG", "", None, "018956"),
        ("80331 München / Bayern / Germany", "DE", "München", Some("Bavaria"), "80331"),
        ("CH-8001 Zürich / Switzerland", "CH", "Zürich", None, "8001"),
    ] {
        assert_eq!(lines(country, city, region, code), expected);
    }
    let tokyo = Address {
        name: "山田太郎".into(),
        line1: "千代田1-1".into(),
        city: "千代田区".into(),
        ..address("JP", Some("Tokyo"), Some("1000001"))
    };
    let tokyo = tokyo.checked("").expect("an address");
    let home = Some(tokyo.country);
    assert_eq!(tokyo.lines(home), ["〒100-0001", "東京都千代田区", "千代田1-1", "山田太郎"]);
}

#[test]
fn the_table_agrees_with_itself() {
    for country in Country::all().iter().copied() {
        let (code, entry) = (country.as_str(), country.entry());
        for name in [code, country.name(), entry.alpha_3] {
            assert_eq!(Country::read("", name), Ok(country), "{name}");
        }
        for region in country.regions() {
            let found = country.region(region.code).expect(region.code);
            assert_eq!(found, region, "{code}");
            let named = country.region(region.name);
            assert!(named.is_none_or(|named| named == region), "{code} {}", region.name);
        }
        if let Some(example) = country.postal_code_example() {
            assert_eq!(country.postal_code(example).as_deref(), Some(example), "{code}");
        }
        assert!(!entry.required.contains('S') || country.usage(Part::Region) == Usage::Required);
        assert!(!entry.required.contains('S') || entry.writes("%S"), "{code}");
    }
    assert_eq!(Country::all().len(), 249);
    assert!(table::countries().all().iter().all(|entry| entry.format.contains("%A")));
}

fn any_country() -> impl Strategy<Value = Country> {
    (0..249_usize).prop_map(|at| Country::all()[at])
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,24}", "\\PC{0,24}", any::<String>(), "[A-Z0-9 -]{3,10}"]
}

proptest! {
    #[test]
    fn a_checked_address_is_in_its_normal_form(
        country in any_country(),
        city in "\\PC{1,12}",
        region in proptest::option::of(any_text()),
        code in proptest::option::of(any_text()),
    ) {
        let typed = Address {
            city,
            country,
            ..address("DE", region.as_deref(), code.as_deref())
        };
        if let Ok(once) = typed.checked_in_part("") {
            prop_assert_eq!(once.clone().checked_in_part(""), Ok(once.clone()));
            let text = once.lines(None).join(" ");
            prop_assert!(text.contains(&once.line1) && text.contains(&once.name));
            prop_assert!(text.contains(country.name()));
            if let Some(code) = &once.postal_code {
                prop_assert!(fold::fold(&text).contains(&fold::fold(code)), "{} {}", text, code);
            }
        }
    }

    #[test]
    fn a_normal_form_is_read_as_itself(country in any_country(), typed in any_text()) {
        if let Some(code) = country.postal_code(&typed) {
            prop_assert_eq!(country.postal_code(&code), Some(code));
        }
        if let Some(region) = country.region(&typed) {
            prop_assert_eq!(country.region(region.code), Some(region));
        }
        let _ = Country::read("", &typed);
    }

    #[test]
    fn every_region_is_read_in_every_writing(country in any_country(), at in any::<prop::sample::Index>()) {
        let regions = country.regions();
        if regions.is_empty() {
            return Ok(());
        }
        let region = at.get(regions);
        for name in [region.code.to_lowercase(), format!("{country}-{}", region.code), format!(" {} ", region.code)] {
            prop_assert_eq!(country.region(&name), Some(region), "{}", name);
        }
    }
}
