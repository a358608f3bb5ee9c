use std::collections::BTreeMap;

use yoi_protocol::Code;

use super::Exit;

/// Scripts rely on these: a change is a change of the contract.
#[test]
fn every_code_has_its_exit_code() {
    let mut by_exit: BTreeMap<u8, Vec<&str>> = BTreeMap::new();
    for code in Code::ALL {
        let exit = Exit::from(*code).code();
        by_exit.entry(exit).or_default().push(code.as_str());
    }
    let table: Vec<String> = by_exit
        .iter()
        .map(|(exit, codes)| format!("{exit}: {}", codes.join(" ")))
        .collect();
    assert_eq!(
        table,
        [
            "1: method_not_allowed cursor_expired cursor_unknown payload_too_large \
             unsupported_media_type misdirected_request upgrade_required internal store_failed \
             operation_unsupported runtime_identity_mismatch runtime_auth_failed \
             runtime_protocol_error runtime_failed",
            "2: invalid_request cursor_invalid",
            "3: route_not_found runtime_not_found worker_not_found",
            "4: worker_already_exists worker_busy worker_stopped idempotency_conflict limit_reached",
            "5: runtime_unreachable unavailable runtime_unavailable timed_out runtime_timed_out",
            "6: unauthorized forbidden_origin operation_denied",
        ]
    );
}
