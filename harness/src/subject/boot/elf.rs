//! The few things of ELF files that matter here.

use object::elf::{DT_SONAME, FileHeader64, NoteType, PT_INTERP, PT_LOAD, PT_NOTE};
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _, SectionHeader as _};
use object::{Endianness, Error};

type Header = FileHeader64<Endianness>;

/// `XEN_ELFNOTE_PHYS32_ENTRY` (`include/xen/interface/elfnote.h`): the kernel can be started without
/// a boot loader.
const ENTRY: NoteType = NoteType(18);

/// All of a file that running it needs: what debuggers read stands behind that.
pub(in crate::subject) fn loadable(bytes: &[u8]) -> Result<&[u8], Error> {
    let header = Header::parse(bytes)?;
    let endian = header.endian()?;
    let segments = header.program_headers(endian, bytes)?.iter();
    let ends = segments
        .filter(|segment| segment.p_type(endian) == PT_LOAD)
        .map(|segment| segment.p_offset(endian) + segment.p_filesz(endian));
    let end = usize::try_from(ends.max().unwrap_or(0)).unwrap_or(usize::MAX);
    Ok(&bytes[..end.min(bytes.len())])
}

/// Which program loads the file, if it is not static.
pub(in crate::subject) fn interpreter(bytes: &[u8]) -> Result<Option<String>, Error> {
    let header = Header::parse(bytes)?;
    let endian = header.endian()?;
    for segment in header.program_headers(endian, bytes)? {
        if segment.p_type(endian) == PT_INTERP {
            let text = segment.data(endian, bytes).unwrap_or_default();
            return Ok(Some(String::from_utf8_lossy(text).trim_end_matches('\0').to_owned()));
        }
    }
    Ok(None)
}

/// The name that other files ask for a shared object by.
pub(in crate::subject) fn soname(bytes: &[u8]) -> Result<Option<String>, Error> {
    let header = Header::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let Some((entries, strings)) = sections.dynamic(endian, bytes)? else { return Ok(None) };
    let strings = sections.strings(endian, bytes, strings)?;
    let name = entries.iter().find(|entry| entry.d_tag(endian) == DT_SONAME);
    let Some(name) = name else { return Ok(None) };
    let name = name.string(endian, strings)?;
    Ok(Some(String::from_utf8_lossy(name).into_owned()))
}

/// Which modules a kernel module needs, as `modinfo -F depends` says.
pub(in crate::subject) fn depends(bytes: &[u8]) -> Result<Vec<String>, Error> {
    let header = Header::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let Some((_, section)) = sections.section_by_name(endian, b".modinfo") else {
        return Ok(Vec::new());
    };
    let fields = section.data(endian, bytes)?.split(|byte| *byte == 0);
    let depends = fields.filter_map(|field| field.strip_prefix(b"depends="));
    let text = depends.map(String::from_utf8_lossy).collect::<String>();
    Ok(text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// Whether a kernel can be started as it is, by the note that says where (PVH).
pub(in crate::subject) fn is_startable(bytes: &[u8]) -> bool {
    let has = || -> Result<bool, Error> {
        let header = Header::parse(bytes)?;
        let endian = header.endian()?;
        for segment in header.program_headers(endian, bytes)? {
            if segment.p_type(endian) != PT_NOTE {
                continue;
            }
            let Some(mut notes) = segment.notes(endian, bytes)? else { continue };
            while let Some(note) = notes.next()? {
                if note.name() == b"Xen" && note.n_type(endian) == ENTRY {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    };
    has().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Os;

    #[test]
    fn this_very_program_is_read() {
        if Os::host() != Some(Os::Linux) {
            return eprintln!("skipped: this program is no ELF file");
        }
        let bytes = std::fs::read("/proc/self/exe").unwrap();
        let loadable = loadable(&bytes).unwrap();
        assert!(!loadable.is_empty() && loadable.len() < bytes.len());
        // What is left of it is still a program that says what it needs.
        let loader = interpreter(loadable).unwrap();
        assert!(loader.is_none_or(|loader| loader.contains("ld")));
        assert!(!is_startable(&bytes));
        assert_eq!(depends(&bytes).unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_no_elf_is_an_error() {
        for bytes in [&b""[..], b"MZ nothing", b"\x7fELF"] {
            assert!(loadable(bytes).is_err() && interpreter(bytes).is_err());
            assert!(soname(bytes).is_err() && depends(bytes).is_err() && !is_startable(bytes));
        }
    }
}
