#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| handel_fuzz::run("mcp_message", data));
