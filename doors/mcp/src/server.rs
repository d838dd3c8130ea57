//! The shop as a server of the protocol.

use std::sync::Arc;

use handel_engine::Engine;
use handel_kit::Door;
use handel_ucp::{Ucp, Version};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest,
        CustomResult, ErrorCode, GetPromptRequestParams, GetPromptResponse, Implementation,
        ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
        PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
        ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use crate::{
    asked::Asked,
    merchant, operations, prompts, resources,
    tools::{UcpTool, ucp_tools},
};

/// How long lists of tools, prompts and resources may be kept: they change with a release of the program, and
/// with the policies of the shop.
pub(crate) const LISTS_TTL_MS: u64 = 300_000;
const INSTRUCTIONS: &str = "\
This is a shop. To buy: find variants with search_catalog, start with create_checkout, then follow its messages \
with update_checkout (buyer, address, way of shipping) until the status is ready_for_complete, show the buyer the \
totals, and after they agree call complete_checkout. If it answers totals_changed, nothing was bought: show the new \
totals and ask again. Amounts are integers in minor units of the currency: 1999 in \
USD is $19.99. Every call needs meta[\"ucp-agent\"].profile. Updates replace everything that was said before. If \
the status is requires_escalation, give the buyer the continue_url. Never ask for the number of a card.";
/// Methods with parameters that the library knows. A request for one of them that it cannot understand arrives
/// as an unknown method, but it is the parameters that are wrong.
const METHODS: [&str; 8] = [
    "tools/call",
    "tools/list",
    "prompts/get",
    "prompts/list",
    "resources/read",
    "resources/list",
    "resources/templates/list",
    "completion/complete",
];

/// The shop in one version of UCP. Clones are the same.
#[derive(Clone)]
pub(crate) struct ShopServer(Arc<Shared>);

struct Shared {
    door: Door,
    ucp: Ucp,
    version: Version,
    tools: Vec<UcpTool>,
}

impl ShopServer {
    pub(crate) fn new(door: Door, ucp: Ucp, version: Version) -> Self {
        let tools = ucp_tools(version, &ucp.leaf_profile(version));
        Self(Arc::new(Shared { door, ucp, version, tools }))
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.0.door.engine()
    }

    pub(crate) fn ucp(&self) -> &Ucp {
        &self.0.ucp
    }

    /// The profile as the address of its version shows it.
    pub(crate) fn profile(&self) -> Value {
        match self.0.version {
            Version::ROOT => self.0.ucp.profile(),
            version => self.0.ucp.leaf_profile(version),
        }
    }

    pub(crate) fn version(&self) -> Version {
        self.0.version
    }

    fn ucp_tool(&self, name: &str) -> Option<&UcpTool> {
        self.0.tools.iter().find(|tool| tool.tool.name == name)
    }
}

impl ServerHandler for ShopServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_prompts()
            .enable_resources()
            .enable_tools()
            .build();
        let shop = Implementation::new("handel", env!("CARGO_PKG_VERSION"))
            .with_title("Handel")
            .with_website_url(self.0.door.settings().public_url.clone());
        ServerConfig::new(capabilities).with_server_info(shop).with_instructions(INSTRUCTIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let merchant = || merchant::TOOLS.iter().find(|tool| tool.name == name);
        let ucp = self.ucp_tool(name).map(|tool| tool.tool.clone());
        ucp.or_else(|| merchant().map(merchant::MerchantTool::describe))
    }

    /// The tools of the merchant stand in the list only for those who may call them, so the list is private.
    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let Asked { ctx, .. } = Asked::of(&context)?;
        let ucp = self.0.tools.iter().map(|tool| tool.tool.clone());
        let allowed = merchant::TOOLS.iter().filter(|tool| ctx.allows(tool.scope));
        let tools = ucp.chain(allowed.map(merchant::MerchantTool::describe)).collect();
        Ok(ListToolsResult::with_all_items(tools)
            .with_ttl_ms(LISTS_TTL_MS)
            .with_cache_scope(CacheScope::Private))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let asked = Asked::of(&context)?;
        let arguments = request.arguments.unwrap_or_default();
        if let Some(tool) = self.ucp_tool(&request.name) {
            let call = operations::question(tool, self.0.version, &asked, arguments)?;
            // An outcome of business is a result, good or bad: the object of the protocol, bare and as text.
            let body = operations::answer(&self.0.ucp, &asked, &call).await?;
            return Ok(CallToolResult::structured(body).into());
        }
        match merchant::TOOLS.iter().find(|tool| tool.name == request.name) {
            Some(tool) => tool.call(self.engine(), &asked, arguments).await.map(Into::into),
            None => {
                let text = format!("there is no tool `{}`", request.name);
                Err(ErrorData::invalid_params(text, None))
            }
        }
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        resources::list(self, &Asked::of(&context)?).await
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(resources::templates())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let meta = json!(context.meta);
        resources::read(self, &Asked::of(&context)?, &request.uri, &meta).await.map(Into::into)
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(prompts::list())
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::get(&request.name, &request.arguments.unwrap_or_default()).map(Into::into)
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let method = request.method;
        Err(match METHODS.contains(&method.as_str()) {
            true => {
                ErrorData::invalid_params(format!("the parameters of {method} are wrong"), None)
            }
            false => ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None),
        })
    }
}
