//! The libraries that programs are written with, on a shop: they must read what it says and buy in it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    packages, process,
    shop::{Shop, target_directory},
};

/// The models of UCP, and the client of the Model Context Protocol.
const LIBRARIES: [&str; 2] = ["ucp-sdk==0.5.0", "mcp==2.3.0"];
const INSPECTOR: &str = "@modelcontextprotocol/inspector";
const INSPECTOR_VERSION: &str = "2.12.0";

pub fn run() -> Result<()> {
    let directory = target_directory().join("conformance/clients");
    process::run(&mut process::cargo(["build", "--package", "handel"]))?;
    let shop = Shop::open_demo(&directory.join("shop"))?;
    match packages::python(&directory.join("venv"), &LIBRARIES) {
        Ok(python) => {
            let script = process::repository_root().join("xtask/src/conformance/clients.py");
            let mut command = Command::new(python);
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            process::run(command.arg(script).arg(&shop.server.url))?;
        }
        Err(why) => packages::skip(&LIBRARIES.join(" and "), &why),
    }
    match Inspector::install(&directory) {
        Ok(inspector) => inspector.look(&shop.server.url),
        Err(why) => {
            packages::skip(INSPECTOR, &why);
            Ok(())
        }
    }
}

/// The inspector of the Model Context Protocol, on the command line.
struct Inspector {
    node: PathBuf,
    script: PathBuf,
}

impl Inspector {
    fn install(directory: &Path) -> Result<Self> {
        let node = packages::node()?;
        let package = format!("{INSPECTOR}@{INSPECTOR_VERSION}");
        let modules = packages::node_modules(&directory.join("inspector"), &package)?;
        Ok(Self { node, script: modules.join(INSPECTOR).join("clients/launcher/build/index.js") })
    }

    /// Lists the tools, and searches with one.
    fn look(&self, url: &str) -> Result<()> {
        let tools = self.ask(url, &["tools/list"])?;
        let tools = tools["tools"].as_array().context("the inspector lists no tools")?.len();
        let meta = format!(r#"meta={{"ucp-agent":{{"profile":"{url}/mcp/assistant.json"}}}}"#);
        let search = ["tools/call", "--tool-name", "search_catalog", "--tool-arg", &meta];
        let found = self.ask(url, &[&search[..], &[r#"catalog={"query":"mug"}"#]].concat())?;
        let found = found["structuredContent"]["products"].as_array().map_or(0, Vec::len);
        ensure!(found > 0, "the inspector finds nothing");
        println!("PASS the inspector lists {tools} tools and finds {found} products");
        Ok(())
    }

    fn ask(&self, url: &str, method: &[&str]) -> Result<Value> {
        let mut command = Command::new(&self.node);
        command.arg(&self.script).args(["--cli", &format!("{url}/mcp"), "--transport", "http"]);
        let said = process::read(command.arg("--method").args(method))?;
        serde_json::from_str(&said).context("the inspector did not print JSON")
    }
}
