//! Numbers by the names that their documents give them.

use crate::tls::alert;

/// A QUIC version (RFC 9000 §15, RFC 9369, drafts).
pub(super) fn version(version: u32) -> String {
    match version {
        1 => "1".to_owned(),
        0x6b33_43cf => "2".to_owned(),
        draft if draft >> 8 == 0x00ff_0000 => format!("draft {}", draft & 0xff),
        reserved if reserved & 0x0f0f_0f0f == 0x0a0a_0a0a => format!("{reserved:#010x} (reserved)"),
        other => format!("{other:#010x}"),
    }
}

/// A transport error code (RFC 9000 §20.1), with its number.
pub(super) fn transport(code: u64) -> String {
    if let Some(alert) = alert_of(code) {
        return format!("CRYPTO_ERROR {code:#x}, alert {}", alert::name(alert));
    }
    let name = TRANSPORT.iter().find(|row| row.0 == code).map_or("unknown", |row| row.1);
    format!("{name} {code:#x}")
}

/// The TLS alert in a transport error code (RFC 9001 §4.8).
pub(super) fn alert_of(code: u64) -> Option<u8> {
    (code >> 8 == 1).then(|| code.to_le_bytes()[0])
}

/// An application's code: by its name where HTTP/3 (RFC 9114 §8.1) or QPACK (RFC 9204 §6) has one.
pub(super) fn application(code: u64, is_h3: bool) -> String {
    let name = H3.iter().find(|row| row.0 == code).filter(|_| is_h3);
    name.map_or_else(|| code.to_string(), |row| format!("{} {code:#x}", row.1))
}

/// The name of an HTTP/3 frame (RFC 9114 §7.2).
pub(super) fn frame(kind: u64) -> String {
    of(FRAMES, kind)
}

/// The name of a unidirectional stream's type (RFC 9114 §6.2, RFC 9204 §4.2).
pub(super) fn stream_type(kind: u64) -> String {
    of(STREAMS, kind)
}

/// The name of a setting (RFC 9114 §7.2.4.1, RFC 9204 §5, RFC 9220, RFC 9297).
pub(super) fn setting(id: u64) -> String {
    of(SETTINGS, id)
}

/// The name of a transport parameter (RFC 9000 §18.2, RFC 9221, RFC 9287, RFC 9368).
pub(super) fn parameter(id: u64) -> String {
    PARAMETERS.iter().find(|row| row.0 == id).map_or_else(
        || if id % 31 == 27 { "reserved".to_owned() } else { format!("{id:#x}") },
        |row| row.1.to_owned(),
    )
}

/// HTTP/3 reserves every 31st number, from 33 on, for nothing (RFC 9114 §7.2.8).
fn of(table: &[(u64, &str)], number: u64) -> String {
    table.iter().find(|row| row.0 == number).map_or_else(
        || if number % 31 == 2 { "reserved".to_owned() } else { format!("{number:#x}") },
        |row| row.1.to_owned(),
    )
}

const TRANSPORT: &[(u64, &str)] = &[
    (0x0, "NO_ERROR"),
    (0x1, "INTERNAL_ERROR"),
    (0x2, "CONNECTION_REFUSED"),
    (0x3, "FLOW_CONTROL_ERROR"),
    (0x4, "STREAM_LIMIT_ERROR"),
    (0x5, "STREAM_STATE_ERROR"),
    (0x6, "FINAL_SIZE_ERROR"),
    (0x7, "FRAME_ENCODING_ERROR"),
    (0x8, "TRANSPORT_PARAMETER_ERROR"),
    (0x9, "CONNECTION_ID_LIMIT_ERROR"),
    (0xa, "PROTOCOL_VIOLATION"),
    (0xb, "INVALID_TOKEN"),
    (0xc, "APPLICATION_ERROR"),
    (0xd, "CRYPTO_BUFFER_EXCEEDED"),
    (0xe, "KEY_UPDATE_ERROR"),
    (0xf, "AEAD_LIMIT_REACHED"),
    (0x10, "NO_VIABLE_PATH"),
    (0x11, "VERSION_NEGOTIATION_ERROR"),
];

const H3: &[(u64, &str)] = &[
    (0x100, "H3_NO_ERROR"),
    (0x101, "H3_GENERAL_PROTOCOL_ERROR"),
    (0x102, "H3_INTERNAL_ERROR"),
    (0x103, "H3_STREAM_CREATION_ERROR"),
    (0x104, "H3_CLOSED_CRITICAL_STREAM"),
    (0x105, "H3_FRAME_UNEXPECTED"),
    (0x106, "H3_FRAME_ERROR"),
    (0x107, "H3_EXCESSIVE_LOAD"),
    (0x108, "H3_ID_ERROR"),
    (0x109, "H3_SETTINGS_ERROR"),
    (0x10a, "H3_MISSING_SETTINGS"),
    (0x10b, "H3_REQUEST_REJECTED"),
    (0x10c, "H3_REQUEST_CANCELLED"),
    (0x10d, "H3_REQUEST_INCOMPLETE"),
    (0x10e, "H3_MESSAGE_ERROR"),
    (0x10f, "H3_CONNECT_ERROR"),
    (0x110, "H3_VERSION_FALLBACK"),
    (0x200, "QPACK_DECOMPRESSION_FAILED"),
    (0x201, "QPACK_ENCODER_STREAM_ERROR"),
    (0x202, "QPACK_DECODER_STREAM_ERROR"),
];

const FRAMES: &[(u64, &str)] = &[
    (0x0, "DATA"),
    (0x1, "HEADERS"),
    (0x3, "CANCEL_PUSH"),
    (0x4, "SETTINGS"),
    (0x5, "PUSH_PROMISE"),
    (0x7, "GOAWAY"),
    (0xd, "MAX_PUSH_ID"),
    (0xf_0700, "PRIORITY_UPDATE"),
    (0xf_0701, "PRIORITY_UPDATE"),
];

const STREAMS: &[(u64, &str)] =
    &[(0x0, "control"), (0x1, "push"), (0x2, "QPACK encoder"), (0x3, "QPACK decoder")];

const SETTINGS: &[(u64, &str)] = &[
    (0x1, "QPACK_MAX_TABLE_CAPACITY"),
    (0x6, "MAX_FIELD_SECTION_SIZE"),
    (0x7, "QPACK_BLOCKED_STREAMS"),
    (0x8, "ENABLE_CONNECT_PROTOCOL"),
    (0x33, "H3_DATAGRAM"),
];

const PARAMETERS: &[(u64, &str)] = &[
    (0x00, "original_destination_connection_id"),
    (0x01, "max_idle_timeout"),
    (0x02, "stateless_reset_token"),
    (0x03, "max_udp_payload_size"),
    (0x04, "initial_max_data"),
    (0x05, "initial_max_stream_data_bidi_local"),
    (0x06, "initial_max_stream_data_bidi_remote"),
    (0x07, "initial_max_stream_data_uni"),
    (0x08, "initial_max_streams_bidi"),
    (0x09, "initial_max_streams_uni"),
    (0x0a, "ack_delay_exponent"),
    (0x0b, "max_ack_delay"),
    (0x0c, "disable_active_migration"),
    (0x0d, "preferred_address"),
    (0x0e, "active_connection_id_limit"),
    (0x0f, "initial_source_connection_id"),
    (0x10, "retry_source_connection_id"),
    (0x11, "version_information"),
    (0x20, "max_datagram_frame_size"),
    (0x2ab2, "grease_quic_bit"),
    (0xff04_de1b, "min_ack_delay"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_names() {
        assert_eq!(transport(0x130), "CRYPTO_ERROR 0x130, alert unknown_ca");
        assert_eq!(transport(0x1ff), "CRYPTO_ERROR 0x1ff, alert 255");
        assert_eq!(transport(0x2), "CONNECTION_REFUSED 0x2");
        assert_eq!(transport(0x200), "unknown 0x200");
        assert_eq!(application(0x100, true), "H3_NO_ERROR 0x100");
        assert_eq!(application(0x100, false), "256");
        assert_eq!(application(42, true), "42");
        assert_eq!((alert_of(0x130), alert_of(0x30)), (Some(48), None));
        let versions = [1, 0x6b33_43cf, 0xff00_001d, 0x1a2a_3a4a, 0x5130_3433].map(version);
        assert_eq!(versions, ["1", "2", "draft 29", "0x1a2a3a4a (reserved)", "0x51303433"]);
        assert_eq!([frame(1), frame(33), frame(0x2f)], ["HEADERS", "reserved", "0x2f"]);
        assert_eq!(
            [parameter(0x20), parameter(27), parameter(0x3128)],
            ["max_datagram_frame_size", "reserved", "0x3128"]
        );
    }
}
