//! How addresses are written: `GET /countries`, `GET /countries/{code}`.

use axum::{extract::State, response::Response};
use handel_domain::{
    Code, Refusal,
    address::{Country, Part, Region, Usage},
};
use handel_kit::{Door, PathParams, Problem, ProblemBody, Request};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    documents::{Always, InChannel},
    replies::kept,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(list_countries)).routes(routes!(get_country))
}

/// The countries that a channel sells to.
#[derive(Serialize, ToSchema)]
struct CountryList {
    /// The entries, in the order of their names.
    items: Vec<CountrySummary>,
}

/// A country.
#[derive(Serialize, ToSchema)]
struct CountrySummary {
    /// ISO 3166-1 alpha-2 code.
    #[schema(example = "US")]
    code: String,
    /// The name in English.
    #[schema(example = "United States")]
    name: &'static str,
}

/// What a form for an address in a country must ask for, after `name`, `line1` and `line2`.
#[derive(Serialize, ToSchema)]
struct CountryView {
    /// ISO 3166-1 alpha-2 code.
    #[schema(example = "US")]
    code: String,
    /// The name in English.
    #[schema(example = "United States")]
    name: &'static str,
    /// The fields `city`, `region` and `postal_code` in the order in which the country writes them.
    fields: Vec<AddressFieldView>,
    /// The regions to choose from; empty where none are known.
    regions: Vec<RegionView>,
}

/// A field of an address that not every country has.
#[derive(Serialize, ToSchema)]
struct AddressFieldView {
    /// The name in an address.
    #[schema(example = "postal_code")]
    name: &'static str,
    /// What it is called in the country, in English.
    #[schema(example = "ZIP code")]
    label: &'static str,
    /// Whether an address has it.
    usage: UsageView,
    /// A value that is right, where there is one to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "10001")]
    example: Option<&'static str>,
}

/// Whether an address has a field.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum UsageView {
    /// The country does not write it; it need not be asked for.
    Unused,
    /// It may be left out.
    Optional,
    /// Nothing can be sent without it.
    Required,
}

/// A state, province or the like.
#[derive(Serialize, ToSchema)]
struct RegionView {
    /// The ISO 3166-2 code without the country, where there is one; what an address answers as `region`.
    #[schema(example = "CA")]
    code: &'static str,
    /// The name in Latin script.
    #[schema(example = "California")]
    name: &'static str,
    /// The name in the country's own script.
    #[schema(example = "California")]
    local_name: &'static str,
}

/// The countries that the channel sells to.
#[utoipa::path(get, path = "/countries", tag = "checkout", params(InChannel), responses(
    Always,
    (status = 200, description = "The countries", body = CountryList, headers(
        ("ETag" = String, description = "A digest of the list, for `If-None-Match`"))),
    (status = 304, description = "It is the one that you have (`If-None-Match`)"),
    (status = 404, description = "No such channel", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn list_countries(State(door): State<Door>, request: Request) -> Result<Response, Problem> {
    let channel = door.engine().get_channel(&request.ctx).await?;
    let sold_to =
        Country::all().iter().copied().filter(|country| channel.settings.sells_to(*country));
    let summary =
        |country: Country| CountrySummary { code: country.to_string(), name: country.name() };
    kept(&request.headers, &CountryList { items: sold_to.map(summary).collect() })
}

/// How an address in a country is written: the fields with their labels, and the regions. Any country may be billed, so
/// those are there too that the channel does not sell to.
#[utoipa::path(get, path = "/countries/{code}", tag = "checkout",
    params(("code" = String, Path, description = "ISO 3166-1 code", example = "US")), responses(
    Always,
    (status = 200, description = "The country", body = CountryView, headers(
        ("ETag" = String, description = "A digest of the country, for `If-None-Match`"))),
    (status = 304, description = "It is the one that you have (`If-None-Match`)"),
    (status = 404, description = "No such country", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn get_country(
    PathParams(code): PathParams<String>,
    request: Request,
) -> Result<Response, Problem> {
    let found = Country::read("", &code);
    let country = found.map_err(|_| Refusal::new(Code::NotFound, "there is no such country"))?;
    kept(&request.headers, &CountryView::from(country))
}

impl From<Country> for CountryView {
    fn from(country: Country) -> Self {
        let field = |part: Part| AddressFieldView {
            name: match part {
                Part::City => "city",
                Part::Region => "region",
                Part::PostalCode => "postal_code",
            },
            label: country.label(part),
            usage: country.usage(part).into(),
            example: country.postal_code_example().filter(|_| part == Part::PostalCode),
        };
        Self {
            code: country.to_string(),
            name: country.name(),
            fields: country.order_of_parts().into_iter().map(field).collect(),
            regions: country.regions().iter().map(RegionView::from).collect(),
        }
    }
}

impl From<&Region> for RegionView {
    fn from(region: &Region) -> Self {
        Self { code: region.code, name: region.name, local_name: region.local_name() }
    }
}

impl From<Usage> for UsageView {
    fn from(usage: Usage) -> Self {
        match usage {
            Usage::Unused => Self::Unused,
            Usage::Optional => Self::Optional,
            Usage::Required => Self::Required,
        }
    }
}
