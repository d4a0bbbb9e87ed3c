//! A kernel's image: the ELF file inside a bzImage, which starts faster than what unpacks it.

use std::io::{self, Read};

use super::elf;

/// Offsets in the setup header (`Documentation/arch/x86/boot.rst`).
const SETUP_SECTORS: usize = 0x1f1;
const MAGIC: usize = 0x202;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;

/// The kernel as a machine starts it fastest: the ELF file if it can be had and can be started
/// without a boot loader, else the image as it is.
pub(in crate::subject) fn fastest(image: Vec<u8>) -> Vec<u8> {
    match inner(&image) {
        Some(kernel) if elf::is_startable(&kernel) => kernel,
        _ => image,
    }
}

/// Whether the bytes are something that a machine can start.
pub(in crate::subject) fn is_kernel(image: &[u8]) -> bool {
    image.get(MAGIC..MAGIC + 4) == Some(b"HdrS") || elf::is_startable(image)
}

/// The ELF file of a bzImage; nothing where its compression is another one.
fn inner(image: &[u8]) -> Option<Vec<u8>> {
    if image.get(MAGIC..MAGIC + 4) != Some(b"HdrS") {
        return None;
    }
    let number = |at: usize| {
        let bytes = image.get(at..at + 4)?.first_chunk::<4>()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let sectors = match *image.get(SETUP_SECTORS)? {
        0 => 4,
        sectors => usize::from(sectors),
    };
    let start = (sectors + 1) * 512 + number(PAYLOAD_OFFSET)?;
    let payload = image.get(start..start.checked_add(number(PAYLOAD_LENGTH)?)?)?;
    unpack(payload).ok()
}

/// Unpacks zstd, xz or gzip by its first bytes; what is none of them is taken as it is.
pub(in crate::subject) fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    match bytes {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(bytes);
            decoder.map_err(io::Error::other)?.read_to_end(&mut whole)?;
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            lzma_rust2::XzReader::new(bytes, false).read_to_end(&mut whole)?;
        }
        [0x1f, 0x8b, ..] => {
            flate2::read::GzDecoder::new(bytes).read_to_end(&mut whole)?;
        }
        plain => whole.extend_from_slice(plain),
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let text = b"a kernel".repeat(1000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap();
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        let zstd = ruzstd::encoding::compress_to_vec(&text[..], level);
        for packed in [&gzip[..], &zstd, &text] {
            assert_eq!(unpack(packed).unwrap(), text);
        }
        assert!(unpack(&gzip[..gzip.len() / 2]).is_err(), "cut short");
        assert!(unpack(&zstd[..zstd.len() / 2]).is_err(), "cut short");
        assert!(unpack(b"\xfd7zXZ\0nonsense").is_err());
    }

    #[test]
    fn what_is_no_kernel_is_left_alone() {
        let mut image = vec![0; 0x300];
        assert!(!is_kernel(&image));
        image[MAGIC..MAGIC + 4].copy_from_slice(b"HdrS");
        assert!(is_kernel(&image));
        // A payload that lies beyond the end.
        image[PAYLOAD_OFFSET..PAYLOAD_OFFSET + 8].fill(0xff);
        assert_eq!(fastest(image.clone()), image);
        assert!(!is_kernel(b"") && inner(b"").is_none());
    }
}
