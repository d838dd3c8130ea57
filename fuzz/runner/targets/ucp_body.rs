#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| handel_fuzz::run("ucp_body", data));
