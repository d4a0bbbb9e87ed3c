//! What the server has: a folder of two files.

/// A file: its name, and what is in it.
pub(super) struct File {
    pub(super) name: &'static str,
    bytes: fn() -> Vec<u8>,
}

/// When all of them were written.
pub(super) const WRITTEN: &str = "20240229120000";

/// All files.
pub(super) const FILES: [File; 2] = [
    File { name: "hello.txt", bytes: || b"hello,\nthis is a far end\n".to_vec() },
    File { name: "bytes.bin", bytes: || (0..4096u32).map(|i| i.to_le_bytes()[0]).collect() },
];

impl File {
    /// By its name, with a slash before it or without.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        let name = name.strip_prefix('/').unwrap_or(name);
        FILES.iter().find(|file| file.name == name)
    }

    /// Its bytes as they are sent: of ASCII each line ends with CRLF (RFC 959 §3.1.1.1).
    pub(super) fn bytes(&self, is_ascii: bool) -> Vec<u8> {
        let bytes = (self.bytes)();
        if !is_ascii {
            return bytes;
        }
        let lines = bytes
            .iter()
            .flat_map(|b| if *b == b'\n' { &b"\r\n"[..] } else { std::slice::from_ref(b) });
        lines.copied().collect()
    }
}

/// What LIST, NLST or MLSD send.
pub(super) fn listing(verb: &str) -> Vec<u8> {
    let line = |file: &File| {
        let (name, len) = (file.name, file.bytes(false).len());
        match verb {
            "NLST" => format!("{name}\r\n"),
            "MLSD" => format!("type=file;size={len};modify={WRITTEN};perm=r; {name}\r\n"),
            _ => format!("-rw-r--r--   1 ftp      ftp      {len:>8} Feb 29  2024 {name}\r\n"),
        }
    };
    FILES.iter().map(line).collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_lines_ended_for_ascii_alone() {
        let file = File::find("/hello.txt").unwrap();
        assert_eq!(file.bytes(true).len(), file.bytes(false).len() + 2);
        assert!(File::find("hello").is_none());
    }

    #[test]
    fn a_listing_is_as_it_was_asked() {
        let text = |verb| String::from_utf8(listing(verb)).unwrap();
        assert_eq!(text("NLST"), "hello.txt\r\nbytes.bin\r\n");
        assert!(text("MLSD").starts_with("type=file;size=25;"));
        assert!(text("LIST").ends_with("    4096 Feb 29  2024 bytes.bin\r\n"));
    }
}
